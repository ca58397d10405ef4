// Package output writes answers: text for a person at three in the morning,
// the JSON contract, Markdown, SARIF. Every writer takes finished values; none
// decides anything.
//
// It may import the root package and the standard library. Log text is
// untrusted: control characters are made visible before they reach a terminal.
package output
