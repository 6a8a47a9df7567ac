import com.google.api.client.json.jackson2.JacksonFactory;
import com.google.auth.ServiceAccountSigner;
import com.google.auth.oauth2.AccessToken;
import com.google.auth.oauth2.GoogleCredentials;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * Shows what the Java client of Debian's packages makes of its environment: the twin
 * of ../go, with the same command line, the same variables (see ../go/main.go) and the
 * same output, for a client that is years older.
 *
 * <pre>java -cp JARS Main.java gcp [--timeout 20s] [--repeat 5s]</pre>
 */
public class Main {
    static final String CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform";

    public static void main(String[] args) throws InterruptedException {
        long timeout = 20_000, repeat = 0;
        try {
            if (args.length % 2 == 0 || !args[0].equals("gcp")) {
                throw new IllegalArgumentException();
            }
            for (int i = 1; i < args.length; i += 2) {
                switch (args[i]) {
                    case "--timeout": timeout = millis(args[i + 1]); break;
                    case "--repeat": repeat = millis(args[i + 1]); break;
                    default: throw new IllegalArgumentException();
                }
            }
        } catch (IllegalArgumentException e) {
            System.err.println("usage: Main gcp [--timeout 20s] [--repeat 5s]");
            System.exit(2);
        }
        // A call that was given up on must not keep the process from its end.
        ExecutorService threads = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            return thread;
        });
        GCP check = new GCP();
        while (true) {
            Map<String, Object> result = measure(threads, check, timeout);
            System.out.println(json(result));
            System.out.flush();
            if (repeat == 0) {
                System.exit((Boolean) result.get("ok") ? 0 : 1);
            }
            Thread.sleep(repeat);
        }
    }

    static Map<String, Object> measure(ExecutorService threads, GCP check, long timeout) throws InterruptedException {
        long began = System.nanoTime();
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("cloud", "gcp");
        result.put("sdk", check.sdk);
        result.put("ok", true);
        Future<Answer> call = threads.submit(check::run);
        try {
            Answer answer = call.get(timeout, TimeUnit.MILLISECONDS);
            result.put("identity", answer.identity == null ? "" : answer.identity);
            if (answer.expires != null) {
                result.put("expires", answer.expires.toInstant().truncatedTo(ChronoUnit.SECONDS).toString());
            }
        } catch (ExecutionException e) { // what an application's log would show
            result.put("ok", false);
            result.put("error", describe(e.getCause()));
        } catch (TimeoutException e) {
            call.cancel(true);
            result.put("ok", false);
            result.put("error", "TimeoutException: no answer in time");
        }
        String source = System.getenv("GCE_METADATA_HOST");
        if (source != null && !source.isEmpty()) {
            result.put("source", source);
        }
        result.put("elapsedMillis", TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began));
        return result;
    }

    /** The error and its causes, as a stack trace names them. */
    static String describe(Throwable error) {
        StringBuilder text = new StringBuilder();
        for (Throwable e = error; e != null; e = e.getCause()) {
            text.append(text.length() == 0 ? "" : "; caused by ").append(e.getClass().getSimpleName()).append(": ").append(e.getMessage());
        }
        return text.toString();
    }

    static String json(Map<String, Object> result) {
        try {
            return JacksonFactory.getDefaultInstance().toString(result);
        } catch (IOException e) {
            throw new IllegalStateException(e); // it writes into memory
        }
    }

    static long millis(String duration) {
        String[][] units = {{"ms", "1"}, {"s", "1000"}, {"m", "60000"}};
        for (String[] unit : units) {
            if (duration.endsWith(unit[0])) {
                return (long) (Double.parseDouble(duration.substring(0, duration.length() - unit[0].length())) * Long.parseLong(unit[1]));
            }
        }
        throw new IllegalArgumentException(duration);
    }

    static class Answer {
        final String identity;
        final Date expires;

        Answer(String identity, Date expires) {
            this.identity = identity;
            this.expires = expires;
        }
    }

    /** google-auth-library: Application Default Credentials. */
    static class GCP {
        // Each call has its thread: one that was given up on may still be at it.
        private volatile GoogleCredentials credentials;

        private final String sdk = "google-auth-java " + version();

        /** The jar's manifest does not tell it. */
        private static String version() {
            Properties pom = new Properties();
            try (InputStream file = GoogleCredentials.class.getResourceAsStream("/META-INF/maven/com.google.auth/google-auth-library-oauth2-http/pom.properties")) {
                if (file != null) {
                    pom.load(file);
                }
            } catch (IOException e) {
                throw new IllegalStateException(e); // the class itself came from there
            }
            return pom.getProperty("version", "of unknown version");
        }

        Answer run() throws IOException, GeneralSecurityException {
            GoogleCredentials credentials = this.credentials;
            if (credentials == null) {
                credentials = GoogleCredentials.getApplicationDefault();
                if (credentials.createScopedRequired()) {
                    credentials = credentials.createScoped(CLOUD_PLATFORM);
                }
                this.credentials = credentials;
            }
            credentials.refreshIfExpired();
            AccessToken token = credentials.getAccessToken();
            String endpoint = System.getenv("SDK_GCP_TOKENINFO");
            String identity = null;
            if (endpoint != null && !endpoint.isEmpty()) {
                identity = tokenInfo(endpoint, token.getTokenValue());
            } else if (credentials instanceof ServiceAccountSigner) {
                identity = ((ServiceAccountSigner) credentials).getAccount();
            }
            return new Answer(identity, token.getExpirationTime());
        }

        /**
         * Asks the cloud whose access token this is. The token travels in the query, as
         * Google's endpoint has it: the error must not show the URL.
         */
        private static String tokenInfo(String endpoint, String token) throws IOException, GeneralSecurityException {
            URL url = new URL(endpoint + "?access_token=" + URLEncoder.encode(token, StandardCharsets.UTF_8));
            HttpsURLConnection connection = (HttpsURLConnection) url.openConnection();
            connection.setConnectTimeout(10_000);
            connection.setReadTimeout(10_000);
            String file = System.getenv("SSL_CERT_FILE");
            if (file != null && !file.isEmpty()) {
                connection.setSSLSocketFactory(trusting(file).getSocketFactory());
            }
            int status = connection.getResponseCode();
            if (status != 200) { // getInputStream's own exception would have the URL
                throw new IOException("tokeninfo: status " + status);
            }
            Map<?, ?> info;
            try (InputStream body = connection.getInputStream()) {
                info = JacksonFactory.getDefaultInstance().fromInputStream(body, StandardCharsets.UTF_8, Map.class);
            }
            Object name = info.get("email") != null ? info.get("email") : info.get("sub");
            if (name == null) {
                throw new IOException("tokeninfo: the answer names nobody");
            }
            return name.toString();
        }

        /** Java does not read SSL_CERT_FILE. */
        private static SSLContext trusting(String file) throws IOException, GeneralSecurityException {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            try (InputStream pem = new FileInputStream(file)) {
                for (Certificate ca : CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
                    store.setCertificateEntry("ca" + store.size(), ca);
                }
            }
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        }
    }
}
