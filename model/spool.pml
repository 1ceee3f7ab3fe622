/*
 * One host: a job in the spool, its notes, its end in Redis, and a service that dies as a whole and starts again.
 * What is to hold: a job that was seen downstream comes to its end, each task is counted once and only after its
 * COMMIT, and the end is published before the job is forgotten. Each break below must be found.
 *
 * BREAK 1  ts-listen passes a job on before it keeps it
 * BREAK 2  ts-store says stored before the COMMIT
 * BREAK 3  ts-status removes the job before its end stands in Redis
 */
#ifndef BREAK
#define BREAK 0
#endif
#define T 2
#define LIVES 3

/* What outlives a crash. */
bit kept, rows[T], noted[T], published;
byte counted[T]; /* in the end that is published */
bit seen;        /* the job was passed on */

/* What does not. */
bit passed, task[T], verdict[T];
byte counts[T];
byte lives;

#define CRASH passed = 0; task[0] = 0; task[1] = 0; verdict[0] = 0; verdict[1] = 0; counts[0] = 0; counts[1] = 0

#if BREAK == 2
#define STORE(t) d_step { task[t] && !verdict[t] && !rows[t] -> verdict[t] = 1 }
#define LATE(t) d_step { verdict[t] && !rows[t] -> rows[t] = 1 }
#else
#define STORE(t) d_step { task[t] -> task[t] = 0; rows[t] = 1; verdict[t] = 1 }
#define LATE(t) d_step { false -> skip }
#endif

#define COUNT(t) d_step { verdict[t] -> assert(rows[t]); verdict[t] = 0; task[t] = 0; noted[t] = 1; counts[t]++ }

active proctype service()
{
	do
	/* ts-listen: a new job, or one that is kept. */
#if BREAK == 1
	:: d_step { !seen && !kept -> passed = 1; seen = 1 }
	:: d_step { passed && !kept && !published -> kept = 1 }
#else
	:: d_step { !seen && !kept -> kept = 1 }
#endif
	/* ts-expand leaves out what is noted, which ts-status counts. */
	:: d_step { kept && !passed && !published ->
		passed = 1; seen = 1;
		task[0] = !noted[0]; task[1] = !noted[1];
		counts[0] = noted[0]; counts[1] = noted[1]
	   }
	:: STORE(0)
	:: STORE(1)
	:: LATE(0)
	:: LATE(1)
	:: COUNT(0)
	:: COUNT(1)
	:: d_step { passed && counts[0] > 0 && counts[1] > 0 && !published ->
		assert(counts[0] == 1 && counts[1] == 1 && rows[0] && rows[1]);
#if BREAK == 3
		kept = 0; passed = 0
	   }
	:: d_step { seen && !kept && !passed && counts[0] > 0 && counts[1] > 0 && !published -> published = 1 }
#else
		published = 1
	   }
	:: d_step { published && kept -> kept = 0 }
#endif
	/* All stages die. */
	:: d_step { lives < LIVES && !published -> lives++; CRASH }
	:: published && !kept -> break
	od
}
