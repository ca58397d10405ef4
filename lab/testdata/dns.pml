/*
 * The DNS model of package lab in Promela, one action a d_step, so that Spin
 * counts the same states and transitions as the explorer does without symmetry.
 *
 * Sizes: N enactors, K retention, P plans, EP endpoints. Safeguards are macros:
 * LOCK FENCE RECHECK CAS OLDER TARGET ONEBATCH CARRY APART (enactor),
 * COND PROTECT SPARE AGE (cleaner), NOCLEAN. PROP selects the assertion: 1 never
 * empty, 2 never backwards, 3 never delete what is in use, 4 rollback usable.
 */
#ifndef N
#define N 2
#endif
#ifndef K
#define K 1
#endif
#ifndef P
#define P 3
#endif
#ifndef EP
#define EP 1
#endif
#ifndef PROP
#define PROP 0
#endif

#define NONE 8
#define IDLE 0
#define LOCKING 1
#define BUILDING 2
#define READING 3
#define COMMITTING 4
#define LISTING 6
#define DELETING 7

#define HAS(set, g) ((((set) >> (g)) & 1) == 1)
#define EMPTY(e) (!HAS(trees[e], root[e]))

byte latest;
byte trees[EP];
byte root[EP];
byte roll[EP];
byte holder[EP];

#if defined(RECHECK) || defined(CAS)
#define BEFOREWRITE READING
#else
#define BEFOREWRITE COMMITTING
#endif
#ifdef ONEBATCH
#define UNDERLOCK BEFOREWRITE
#else
#define UNDERLOCK BUILDING
#endif
#ifdef LOCK
#define FIRST LOCKING
#define GIVEBACK if :: holder[e] == me -> holder[e] = 0 :: else fi
#else
#define FIRST UNDERLOCK
#define GIVEBACK skip
#endif
#ifdef FENCE
#define MINE (holder[e] == me)
#else
#define MINE true
#endif
#if defined(ONEBATCH) || defined(CARRY)
#define CARRIES true
#else
#define CARRIES false
#endif
#ifdef NOCLEAN
#define FINISH phase = IDLE; plan = 0; e = 0
#else
#define FINISH phase = LISTING; e = 0
#endif
#define ADVANCE if :: e + 1 < EP -> e++; phase = FIRST :: else -> FINISH fi
#define STOP phase = IDLE; plan = 0; e = 0
#define NEXTLIST if :: e + 1 < EP -> e++; phase = LISTING :: else -> STOP fi

#if PROP == 1
#define CHECK_EMPTY assert(!EMPTY(e))
#else
#define CHECK_EMPTY skip
#endif
#if PROP == 2
#define CHECK_ORDER assert(plan >= root[e])
#else
#define CHECK_ORDER skip
#endif
#if PROP == 3
#define CHECK_USE assert(EMPTY(e) || !HAS(x, root[e]))
#else
#define CHECK_USE skip
#endif
#if PROP == 4
#define CHECK_ROLL assert(roll[e] == NONE || HAS(trees[e], roll[e]))
#else
#define CHECK_ROLL skip
#endif

proctype planner() {
	do
	:: d_step { latest < P -> latest++ }
	od
}

#ifdef LOCK
proctype clock() {
	do
	:: d_step { holder[0] != 0 -> holder[0] = 0 }
#if EP > 1
	:: d_step { holder[1] != 0 -> holder[1] = 0 }
#endif
	od
}
#endif

proctype enactor(byte me) {
	byte phase, plan, e, x;
end:	do
#if EP > 1
	:: d_step { phase == IDLE && (latest > root[0] || latest > root[1] || EMPTY(0) || EMPTY(1)) ->
#else
	:: d_step { phase == IDLE && (latest > root[0] || EMPTY(0)) ->
#endif
		plan = latest; phase = FIRST }
#ifdef LOCK
	:: d_step { phase == LOCKING && holder[e] == 0 -> holder[e] = me; phase = UNDERLOCK }
#endif
#ifndef ONEBATCH
	:: d_step { phase == BUILDING -> trees[e] = trees[e] | (1 << plan); phase = BEFOREWRITE }
#endif
#if defined(RECHECK) || defined(CAS)
	:: d_step { phase == READING ->
		if
		:: root[e] > plan || (root[e] == plan && !EMPTY(e)) -> GIVEBACK; ADVANCE
		:: else ->
			phase = COMMITTING;
#ifdef CAS
			x = root[e]
#endif
		fi }
#endif
	:: d_step { phase == COMMITTING ->
		if
#ifdef CAS
		:: root[e] != x -> phase = READING; x = 0
#endif
#ifdef OLDER
		:: root[e] >= plan && !EMPTY(e) -> GIVEBACK; ADVANCE
#endif
		:: else ->
			x = 0;
			if
#ifdef FENCE
			:: holder[e] != me -> phase = FIRST
#endif
#ifndef APART
			:: MINE && EMPTY(e) && !(CARRIES && root[e] == plan) -> GIVEBACK; STOP
#endif
#if defined(TARGET) && !defined(ONEBATCH) && !defined(CARRY)
			:: MINE && !EMPTY(e) && !HAS(trees[e], plan) -> GIVEBACK; STOP
#endif
			:: else ->
				CHECK_ORDER;
				if :: root[e] != plan && !EMPTY(e) -> roll[e] = root[e] :: else fi;
#if defined(ONEBATCH) || defined(CARRY)
				trees[e] = trees[e] | (1 << plan);
#endif
				root[e] = plan;
#ifdef LOCK
				holder[e] = 0;
#endif
				CHECK_EMPTY; CHECK_ROLL;
				ADVANCE
			fi
		fi }
#ifndef NOCLEAN
	:: d_step { phase == LISTING ->
#ifdef AGE
		if :: root[e] >= K -> x = trees[e] & ((1 << (root[e] - K + 1)) - 1) :: else -> x = 0 fi;
#else
		if :: plan >= K -> x = trees[e] & ((1 << (plan - K + 1)) - 1) :: else -> x = 0 fi;
#endif
#ifdef SPARE
		x = x & ~(1 << root[e]);
#endif
		if :: x == 0 -> NEXTLIST :: else -> phase = DELETING fi }
	:: d_step { phase == DELETING ->
#ifdef COND
		x = x & ~(1 << root[e]);
#endif
#ifdef PROTECT
		if :: roll[e] != NONE -> x = x & ~(1 << roll[e]) :: else fi;
#endif
		CHECK_USE;
		trees[e] = trees[e] & ~x;
		x = 0;
		CHECK_EMPTY; CHECK_ROLL;
		NEXTLIST }
#endif
	od
}

init {
	atomic {
		trees[0] = 1; roll[0] = NONE;
#if EP > 1
		trees[1] = 1; roll[1] = NONE;
#endif
		run planner();
#ifdef LOCK
		run clock();
#endif
		run enactor(1);
#if N > 1
		run enactor(2);
#endif
#if N > 2
		run enactor(3);
#endif
	}
}
