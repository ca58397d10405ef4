// Package flowpattern names what flow logs show of each conversation.
//
// [Conversations] gathers records by interface, peer and service, up to a
// limit. [Patterns] is the discriminating table over them: it tells a reject
// from a black hole, from a wrong interface, and says what silence in a flow
// log does not prove. [Facts] states the patterns for the engine.
//
// The package is pure. It may import the standard library, the root package
// and flowsum.
package flowpattern
