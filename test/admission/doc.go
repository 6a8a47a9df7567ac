// Package admission holds what podpass gives its own containers against Kubernetes' own
// code that admits pods: LimitRanger, ResourceQuota's evaluator, the validation of pods
// and the QoS class. It is a module of its own, since Kubernetes is one of some hundred
// dependencies.
package admission
