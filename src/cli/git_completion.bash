# Git calls this function to complete `git remote-bbcloud`; what follows is completed as if it stood alone.
_git_remote_bbcloud() {
    local at
    for ((at = 1; at < COMP_CWORD; at++)); do
        [ "${COMP_WORDS[at]}" != remote-bbcloud ] || break
    done
    local COMP_WORDS=(git-remote-bbcloud "${COMP_WORDS[@]:at + 1}")
    local COMP_CWORD=$((COMP_CWORD - at))
    COMPREPLY=()
    _git__remote__bbcloud git-remote-bbcloud "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
}
