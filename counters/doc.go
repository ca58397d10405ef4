// Package counters reads the host's side of the story: time series of network
// counters, and of what shows that the host ran on, as recorded by collectd
// (CSV folders and network protocol), Prometheus (HTTP API and exposition
// text), sysstat, Graphite (render API, Whisper files, plaintext protocol) and
// repeated `ip -s -j link` or /proc/net/dev.
//
// All of them become [Series]. [Series.Deltas] gives what was counted between
// samples, with resets, wraps and gaps named and never guessed over.
//
// The package imports the standard library only.
package counters
