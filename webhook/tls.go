package webhook

import "crypto/tls"

// TLS gives the configuration of the admission server. Without clients whoever
// reaches the port is answered.
func TLS(certificate Certificate, clients *ClientAuth) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: certificate}
	if clients == nil {
		return config, nil
	}
	return config, clients.apply(config)
}
