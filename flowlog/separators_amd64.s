#include "textflag.h"

// func separators(masks *uint64, text *byte, n int)
// SSE2, which every amd64 processor has: a byte is at most a space when
// subtracting a space from it with saturation leaves nothing.
TEXT ·separators(SB), NOSPLIT, $0-24
	MOVQ masks+0(FP), DI
	MOVQ text+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ $0x2020202020202020, AX
	MOVQ AX, X8
	PUNPCKLQDQ X8, X8
	PXOR X9, X9
	JMP  more

next:
	MOVOU    (SI), X0
	MOVOU    16(SI), X1
	MOVOU    32(SI), X2
	MOVOU    48(SI), X3
	PSUBUSB  X8, X0
	PSUBUSB  X8, X1
	PSUBUSB  X8, X2
	PSUBUSB  X8, X3
	PCMPEQB  X9, X0
	PCMPEQB  X9, X1
	PCMPEQB  X9, X2
	PCMPEQB  X9, X3
	PMOVMSKB X0, AX
	PMOVMSKB X1, BX
	PMOVMSKB X2, R8
	PMOVMSKB X3, R9
	SHLQ     $16, BX
	SHLQ     $32, R8
	SHLQ     $48, R9
	ORQ      BX, AX
	ORQ      R9, R8
	ORQ      R8, AX
	MOVQ     AX, (DI)
	ADDQ     $64, SI
	ADDQ     $8, DI
	DECQ     CX

more:
	TESTQ CX, CX
	JG    next
	RET

// func separatorsAVX2(masks *uint64, text *byte, n int)
// A byte is at most a space when the smaller of the two is the byte.
TEXT ·separatorsAVX2(SB), NOSPLIT, $0-24
	MOVQ         masks+0(FP), DI
	MOVQ         text+8(FP), SI
	MOVQ         n+16(FP), CX
	MOVQ         $0x20, AX
	MOVQ         AX, X8
	VPBROADCASTB X8, Y8
	JMP          more2

next2:
	VPMINUB   (SI), Y8, Y0
	VPMINUB   32(SI), Y8, Y1
	VPCMPEQB  (SI), Y0, Y0
	VPCMPEQB  32(SI), Y1, Y1
	VPMOVMSKB Y0, AX
	VPMOVMSKB Y1, BX
	SHLQ      $32, BX
	ORQ       BX, AX
	MOVQ      AX, (DI)
	ADDQ      $64, SI
	ADDQ      $8, DI
	DECQ      CX

more2:
	TESTQ CX, CX
	JG    next2
	VZEROUPPER
	RET
