# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# bash completion for untrombone; goes to /usr/share/bash-completion/completions/untrombone.

# The options of each command, and the words that may follow it.
_untrombone_words() {
  case $1 in
    agent) echo "--config --observe" ;;
    explain) echo "--path --config" ;;
    hosts) echo "--segment --verdict" ;;
    moves) echo "--follow" ;;
    watch) echo "--events --count" ;;
    audit) echo "--config --segment --against --groups --html" ;;
    doctor) echo "--config --fix" ;;
    frr-config) echo "--config --protocol --receiver --border --frr-version --asn --ibgp --isis-area --neighbor" ;;
    guard) echo "show open close test --segment" ;;
    summarize) echo "--mode --remote --within --free --home --shortest --shortest6" ;;
    host) echo "claim release clear --mac --for --segment" ;;
    config) echo "check show --defaults" ;;
    status | routes | reload) ;;
    *) echo "agent status hosts routes moves watch explain host reload guard summarize audit doctor config frr-config --socket --version" ;;
  esac
}

_untrombone() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command='' word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ $word != -* && $word != */* ]]; then
      command=$word
      break
    fi
  done
  case $previous in
    --config | --against | --groups | --html | --remote | --socket | check)
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
    --verdict)
      mapfile -t COMPREPLY < <(compgen -W "local remote unknown" -- "$current")
      return
      ;;
    --mode)
      mapfile -t COMPREPLY < <(compgen -W "off exact cover home" -- "$current")
      return
      ;;
    --protocol)
      mapfile -t COMPREPLY < <(compgen -W "bgp ospf ospf6 isis" -- "$current")
      return
      ;;
    --events)
      mapfile -t COMPREPLY < <(compgen -W "host move route alarm segment sink guard" -- "$current")
      return
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$(_untrombone_words "$command") --json --no-color --help" -- "$current")
}

complete -F _untrombone untrombone
