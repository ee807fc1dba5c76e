# SPDX-License-Identifier: MIT
# Read by an interactive zsh.  ^I asks for completions, and writes the offered words, one a line, to
# $OFFERED; then END, when the shell is ready for the next question.
PS1='' LISTMAX=100000	# no question before a long list
fpath=($COMPLETIONS $fpath)
autoload -Uz compinit
compinit -D -u
compadd() {	# in place of the builtin: what it would take goes to the file
	if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
	local -a hits
	builtin compadd -A hits "$@"
	(( $#hits )) || return 1
	print -rl -- $hits >>$OFFERED	# nothing is added, so nothing is inserted or listed
}
ask() { zle complete-word; zle send-break }
zle -N ask
zle-line-init() { print END >>$OFFERED }	# not before: send-break throws away what is typed already
zle -N zle-line-init
bindkey '^I' ask
