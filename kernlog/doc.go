// Package kernlog assembles the multi-line reports of the Linux kernel (oops,
// panic, hung task, lockups, stalls, OOM kill, page allocation failure,
// warning, an ENA reset from trigger to end) into one value each, in the
// wordings of 2.6.32 to 6.12, also when other lines stand between.
//
// It is pure and may import the standard library only. Wordings: kernel sources
// 3.10, 4.9, 4.14, 5.4, 6.1 and 6.12, and the ENA driver 1.1.2 to 2.17.
package kernlog
