# SPDX-License-Identifier: BSD-2-Clause
#
# Completion of lastack's command line for fish. Verbs and options are those that the program
# itself tells.

function __lastack_verbs
	lastack help 2>/dev/null | string replace -rf '^  ([a-z][a-z-]*) +(.*)' '$1\t$2'
end

function __lastack_options
	lastack (commandline -opc)[2] --help 2>/dev/null |
		string match -rga '^ +(?:-[a-zA-Z], )?(--[a-z-]+)'
end

# What an option takes, as the program says when it is given nothing.
function __lastack_words
	lastack (commandline -opc)[2] $argv[1] '' 2>&1 | string replace -rf '.* is none of: ' '' | string split ' '
end

complete -c lastack -f
complete -c lastack -n __fish_use_subcommand -a '(__lastack_verbs)'
complete -c lastack -n 'not __fish_use_subcommand' -a '(__lastack_options)'
complete -c lastack -n '__fish_seen_subcommand_from run' -s i -l interface -x -a '(ls /sys/class/net)'
for option in output color hook rst-policy time-format metrics-label
	complete -c lastack -l $option -x -a "(__lastack_words --$option)"
end
complete -c lastack -s o -x -a '(__lastack_words -o)'
complete -c lastack -n '__fish_seen_subcommand_from replay check-config' -F
