#!/bin/sh
# The models are checked with spin: nothing wrong as they are, and each deliberate break found.
# usage: check.sh DIR   where what is made goes
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cd "$1"
bad=0
for model in spool share again; do
	for break in 0 1 2 3 4; do
		case $model$break in spool4 | again[2-4]) continue ;; esac
		spin -DBREAK=$break -a "$here/$model.pml" >$model.$break.log 2>&1
		"${CC:-cc}" -O1 -w -DSAFETY -DCOLLAPSE -DMEMLIM=1024 -o pan pan.c
		./pan -m1000000 >>$model.$break.log 2>&1 || true
		errors=$(sed -n 's/.*errors: \([0-9]*\)$/\1/p' $model.$break.log)
		states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' $model.$break.log)
		if grep -q 'reached -DMEMLIM\|max search depth too small' $model.$break.log; then
			echo "$model break $break: not finished"
			bad=1
		elif [ $break -eq 0 ] && [ "$errors" = 0 ]; then
			echo "$model: nothing wrong in $states states"
		elif [ $break -ne 0 ] && [ "${errors:-0}" -gt 0 ]; then
			echo "$model break $break: found"
		else
			echo "$model break $break: errors: $errors"
			bad=1
		fi
	done
done
exit $bad
