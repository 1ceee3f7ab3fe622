/*
 * A job whose id comes again after its end. A head that dies at the end of a run leaves its keys, and a host may hold
 * a task of that run still. What is to hold: a run is done only when its task was done in that run.
 *
 * BREAK 1  the streams are named after the job_id alone, and not after the run as well
 */
#ifndef BREAK
#define BREAK 0
#endif
#define RUNS 3
#define NONE RUNS

#if BREAK == 1
#define NAME(run) 0
#else
#define NAME(run) run
#endif

bit entry[RUNS], verdict[RUNS]; /* the server's, by name */
bit worked[RUNS];		/* some host has done the task while that run went on */
byte now;			/* the run that goes on; RUNS: all are over */

proctype head()
{
	do
	:: now == RUNS -> break
	:: now < RUNS ->
		/* What is there is taken up. */
		d_step {
			if
			:: !entry[NAME(now)] && !verdict[NAME(now)] -> entry[NAME(now)] = 1
			:: else
			fi
		}
		verdict[NAME(now)] == 1;
		assert(worked[now]);
		if
		:: d_step { entry[NAME(now)] = 0; verdict[NAME(now)] = 0 } /* the keys are removed */
		:: skip							   /* it dies before that */
		fi;
		now++
	od
}

proctype host()
{
	byte held = NONE, name;
	bit ready;

	do
	:: now == RUNS -> break
	:: d_step { held == NONE -> name = 0;
		do
		:: name < RUNS && !entry[name] -> name++
		:: else -> break
		od;
		held = name
	   }
	:: d_step { held != NONE && !ready && now < RUNS -> ready = 1; worked[now] = 1 }
	/* The gate. */
	:: d_step { ready ->
		if
		:: entry[held] -> entry[held] = 0; verdict[held] = 1
		:: else
		fi;
		held = NONE; ready = 0
	   }
	od
}

init { atomic { run head(); run host(); run host() } }
