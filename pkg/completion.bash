# Completion for bash: the letters that -h explains, the timeframes of -t, else files.
_ts_pipeline() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=
	case $before/$word in
	-t/*) words='1min hour day week month' ;;
	*/-*) words=$("$1" -h 2>/dev/null | sed -n 's/^  \(-.\).*/\1/p') ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F _ts_pipeline ts-listen ts-expand ts-fetch ts-store ts-status ts-audit ts-share \
	ts-work ts-sync ts-health ts-pipeline
