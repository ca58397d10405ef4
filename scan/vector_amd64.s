#include "textflag.h"

// For each group of 32 bytes of b[lo:hi] that has a gram in the set: its
// position and a mask of its grams. A gram x is in the set if bit h&31 of word
// h>>5 is set, where h is the upper 19 bits of x times the hash constant.

// SETUP loads the arguments and constants.
#define SETUP \
	MOVQ list+0(FP), R8  \
	MOVQ masks+8(FP), R9 \
	MOVQ b+16(FP), SI    \
	MOVQ lo+24(FP), AX   \
	MOVQ hi+32(FP), BX   \
	MOVQ set+40(FP), DI  \
	MOVL fold+48(FP), CX \
	MOVQ CX, X10         \
	VPBROADCASTD X10, Y10 \
	MOVL $0x9E3779B1, CX \
	MOVQ CX, X11         \
	VPBROADCASTD X11, Y11 \
	MOVL $31, CX         \
	MOVQ CX, X12         \
	VPBROADCASTD X12, Y12 \
	VPCMPEQD Y13, Y13, Y13 \
	XORQ DX, DX

// TEST puts the mask of the eight grams in Y0 into R.
#define TEST(R) \
	VPOR Y10, Y0, Y0     \
	VPMULLD Y11, Y0, Y0  \
	VPSRLD $18, Y0, Y2   \
	VPSRLD $13, Y0, Y1   \
	VMOVDQA Y13, Y3      \
	VPXOR Y4, Y4, Y4     \
	VPGATHERDD Y3, (DI)(Y2*4), Y4 \
	VPANDN Y12, Y1, Y5   \
	VPSLLVD Y5, Y4, Y4   \
	VMOVMSKPS Y4, R

// APPEND appends position AX and mask CX if the mask is not empty.
#define APPEND \
	MOVL AX, (R8)(DX*4) \
	MOVL CX, (R9)(DX*4) \
	CMPL CX, $1         \
	SBBQ $-1, DX

// func probeCoarseAVX2(list *int32, masks *uint32, b *byte, lo, hi int, set *uint8, fold uint32) int
TEXT ·probeCoarseAVX2(SB), NOSPLIT, $0-64
	SETUP
coarse:
	CMPQ AX, BX
	JGE  coarseDone
	VMOVDQU (SI)(AX*1), Y0
	TEST(CX)
	APPEND
	ADDQ $32, AX
	JMP  coarse
coarseDone:
	MOVQ DX, ret+56(FP)
	VZEROUPPER
	RET

// func probeFineAVX2(list *int32, masks *uint32, b *byte, lo, hi int, set *uint8, fold uint32) int
TEXT ·probeFineAVX2(SB), NOSPLIT, $0-64
	SETUP
fine:
	CMPQ AX, BX
	JGE  fineDone
	VMOVDQU 2(SI)(AX*1), Y0
	TEST(R10)
	VMOVDQU (SI)(AX*1), Y0
	TEST(CX)
	SHLL $8, R10
	ORL  R10, CX
	APPEND
	ADDQ $32, AX
	JMP  fine
fineDone:
	MOVQ DX, ret+56(FP)
	VZEROUPPER
	RET
