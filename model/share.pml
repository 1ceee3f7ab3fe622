/*
 * Tasks handed out to hosts: leases, the gate, a head that dies, a Redis that forgets its last second. What is to
 * hold: no task has two verdicts in the stream, the head counts each once, and never is a task lost, that is, the
 * head always comes to its end. Each break below must be found.
 *
 * BREAK 1  after a reconnect the head goes on where it was, and does not ask what the server has
 * BREAK 2  a verdict passes whether or not its entry is still pending
 * BREAK 3  nobody takes over what a dead host held
 * BREAK 4  the entry is acknowledged first and the verdict is added after that
 */
#ifndef BREAK
#define BREAK 0
#endif
#define T 2
#define H 2

/* The server: entries, who holds them (H: nobody yet), verdicts, the last id; and what is on its disk. */
bit entry[T], disk_entry[T];
byte owner[T] = H, disk_owner[T] = H;
byte verdicts[T], disk_verdicts[T];
byte last, disk_last;
byte epoch; /* connections lost */
bit over;   /* the head has all verdicts */


proctype redis()
{
	byte crashes, saves;

	do
	:: d_step { saves < 1 -> /* the disk has all until now */
		saves++;
		disk_entry[0] = entry[0]; disk_owner[0] = owner[0]; disk_verdicts[0] = verdicts[0];
		disk_entry[1] = entry[1]; disk_owner[1] = owner[1]; disk_verdicts[1] = verdicts[1];
		disk_last = last
	   }
	:: d_step { crashes < 1 ->
		crashes++; epoch++;
		entry[0] = disk_entry[0]; owner[0] = disk_owner[0]; verdicts[0] = disk_verdicts[0];
		entry[1] = disk_entry[1]; owner[1] = disk_owner[1]; verdicts[1] = disk_verdicts[1];
		last = disk_last
	   }
	:: over -> break
	od
}

proctype head()
{
	bit counted[T]; /* as the spool has it */
	byte sent, seen, deaths, t;

	do
	:: d_step { seen != epoch ->
		seen = epoch;
#if BREAK != 1
		sent = last
#endif
	   }
	:: d_step { seen == epoch && sent < T ->
		t = sent; sent++;
		if
		:: !counted[t] && last < sent -> last = sent; entry[t] = 1; owner[t] = H
		:: else
		fi
	   }
	:: d_step { verdicts[0] > 0 && !counted[0] -> counted[0] = 1 }
	:: d_step { verdicts[1] > 0 && !counted[1] -> counted[1] = 1 }
	:: d_step { deaths < 1 -> deaths++; sent = 0 } /* it expands again: what is there is refused */
	:: counted[0] && counted[1] -> over = 1; break
	od
}

#define PENDING(t) (entry[t] && owner[t] != H)

#if BREAK == 3
#define MAY_TAKE(t) (entry[t] && !held[t] && owner[t] == H)
#else
/* The lease may be over at any moment, whether its holder is dead or asleep. */
#define MAY_TAKE(t) (entry[t] && !held[t])
#endif

#if BREAK == 2
#define GATE(t) d_step { held[t] -> held[t] = 0; entry[t] = 0; verdicts[t]++; assert(verdicts[t] <= 1) }
#elif BREAK == 4
#define GATE(t)                                                                                    \
	d_step { held[t] -> held[t] = 0; ack = PENDING(t); entry[t] = 0; owner[t] = H };           \
	if                                                                                         \
	:: d_step { deaths < 1 -> deaths++; held[0] = 0; held[1] = 0 }                             \
	:: d_step { verdicts[t] = verdicts[t] + ack; ack = 0; assert(verdicts[t] <= 1) }           \
	fi
#else
#define GATE(t)                                                                                    \
	d_step {                                                                                   \
		held[t] -> held[t] = 0;                                                            \
		if                                                                                 \
		:: PENDING(t) -> entry[t] = 0; owner[t] = H; verdicts[t]++                         \
		:: else                                                                            \
		fi;                                                                                \
		assert(verdicts[t] <= 1)                                                           \
	}
#endif

proctype host(byte me)
{
	bit held[T], ack;
	byte deaths;

	do
	:: d_step { MAY_TAKE(0) -> owner[0] = me; held[0] = 1 }
	:: d_step { MAY_TAKE(1) -> owner[1] = me; held[1] = 1 }
	:: GATE(0)
	:: GATE(1)
	:: d_step { deaths < 1 && (held[0] || held[1]) -> deaths++; held[0] = 0; held[1] = 0 }
	:: over -> break
	od
}

init { atomic { run redis(); run head(); run host(0); run host(1) } }
