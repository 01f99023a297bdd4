# SPDX-License-Identifier: BSD-2-Clause
#
# Completion of lastack's command line for bash. Verbs and options are those that the program
# itself tells, so this knows no more and no less than the lastack that is installed.

_lastack_verbs() {
	lastack help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'
}

_lastack_options() { # VERB
	lastack "$1" --help 2>/dev/null | grep -oE '^ {2,6}-[^ ]*( --[a-z-]+)?|^ +--[a-z-]+' |
		grep -oE -- '--[a-z-]+|-[a-zA-Z]'
}

# What an option takes, as the program says when it is given nothing.
_lastack_words() { # VERB OPTION
	lastack "$1" "$2" '' 2>&1 | sed -n 's/.* is none of: //p'
}

_lastack() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words

	if [ "$COMP_CWORD" -eq 1 ]; then
		words=$(_lastack_verbs)
	else
		case $before in
		-i | --interface) words=$(ls /sys/class/net) ;;
		-o | --output | --color | --hook | --rst-policy | --time-format | --metrics-label)
			words=$(_lastack_words "${COMP_WORDS[1]}" "$before") ;;
		--config | --control | --bpffs | --history | --http-auth-file | --http-cert-file | --http-key-file) COMPREPLY=($(compgen -f -- "$word")) && return ;;
		*) words=$(_lastack_options "${COMP_WORDS[1]}") ;;
		esac
	fi
	COMPREPLY=($(compgen -W "$words" -- "$word"))
	case ${COMP_WORDS[1]} in
	replay | check-config) [ "$word" = "${word#-}" ] && COMPREPLY+=($(compgen -f -- "$word")) ;;
	esac
}

complete -F _lastack lastack
