"""The shells' completion scripts: short, since `igor __complete` computes all answers."""

from igor_core.cli import report
from igor_core.commands.parse import Invocation

BASH = r"""
# bash completion for igor; in ~/.bashrc: eval "$(igor completion bash)"
_igor() {
    local words=() word line
    for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
        [[ $word == "=" ]] || words+=("$word")
    done
    [[ ${COMP_WORDS[COMP_CWORD]} == "=" ]] && words+=("")
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line == ":files" ]]; then
            compopt -o filenames
            while IFS= read -r line; do COMPREPLY+=("$line"); done \
                < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
            return
        fi
        printf -v line %q "${line%%$'\t'*}"
        COMPREPLY+=("$line")
    done < <("$1" __complete -- "${words[@]}" 2>/dev/null)
}
complete -F _igor igor
"""

ZSH = r"""
#compdef igor
# zsh completion for igor; in ~/.zshrc, after compinit: eval "$(igor completion zsh)"
_igor() {
    local -a candidates
    local line
    for line in "${(@f)$("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        if [[ $line == ":files" ]]; then
            _files
            return
        elif [[ $line == *$'\t'* ]]; then
            candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
        elif [[ -n $line ]]; then
            candidates+=("${line//:/\\:}")
        fi
    done
    _describe igor candidates
}
if [[ ${funcstack[1]} == _igor ]]; then _igor "$@"; else compdef _igor igor; fi
"""

FISH = r"""
# fish completion for igor; in ~/.config/fish/config.fish: igor completion fish | source
function __igor_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
    if test "$found" = ":files"
        __fish_complete_path "$current"
    else
        string join \n -- $found
    end
end
complete -c igor -f -a "(__igor_complete)"
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def run(invocation: Invocation) -> int:
    """Print the completion script of the named shell."""
    script = SCRIPTS[invocation.values["shell"]].strip("\n")
    return report.answer(invocation, script.split("\n"), script)
