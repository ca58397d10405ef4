// Package aws speaks to Amazon's services for the packages that define what
// they need of them: today a Route 53 hosted zone, as failover.Batcher.
// Credentials, region and profile come from the SDK's default chain
// (environment, shared files, web identity, container, instance role).
//
// It is the only importer of aws-sdk-go-v2. It may import failover.
package aws
