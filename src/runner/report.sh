#!/bin/bash
# What job-started.sh and job-completed.sh have in common, sourced by both: settings, names below /reports, labels, limits
# of time, hooks of the user's own. Needs bash >= 4.4 and coreutils.
# shellcheck disable=SC2034 # used by those two

# From the place of the scripts and not from a variable: workflow steps can change the environment of later ones.
readonly sysroot=${BASH_SOURCE[0]%/run/homelab-runner/scripts/*}
readonly reports=$sysroot/reports
readonly remembered=${RUNNER_TEMP:-}/_runnerctl_report # the directory's name, for the completed hook
declare -A settings=()

# Of the fleet, line by line, from the host (src/units/job_hooks.rs); of this runner, with a NUL behind each, from the entrypoint.
read_settings() {
    local LC_ALL=C setting dir=$sysroot/run/homelab-runner
    while IFS= read -r setting; do
        [[ $setting == '#'* ]] || settings[${setting%%=*}]=${setting#*=}
    done 2>/dev/null <"$dir/scripts/reports.conf"
    while IFS= read -rd '' setting; do
        settings[${setting%%=*}]=${setting#*=}
    done 2>/dev/null <"$dir/status/hooks"
}

say() { printf 'runnerctl: %s\n' "$1"; }

# A part of the calling script as a process of its own; false when it did not end in time. This goes on even if that process
# cannot be killed, because it waits for a disk that does not answer.
within() { # SECONDS PART
    local pid output line='' end=$((SECONDS + $1 + 2))
    exec {output}< <(exec timeout --kill-after=1 "$1" bash "$0" "$2" </dev/null 2>&1)
    pid=$!
    while ((SECONDS < end)) && { IFS= read -rt "$((end - SECONDS))" -u "$output" line || [[ -n $line ]]; }; do
        printf '%s\n' "$line"
    done
    exec {output}<&-
    ((SECONDS < end)) || return
    wait "$pid"
    (($? < 124)) # timeout(1)
}

# --- names --------------------------------------------------------------------------------------------------------

# Each function here has its answer in REPLY: a fork for each would be most of what they cost.
digest() { # TEXT
    REPLY=$(printf '%s' "$1" | sha256sum) && REPLY=${REPLY:0:10} && ((${#REPLY} == 10))
}

only_plain() { # TEXT
    local LC_ALL=C
    REPLY=${1//[^A-Za-z0-9._-]/_}
    [[ $REPLY != .* ]] || REPLY=_${REPLY#.}
}

with_digest() { # TEXT WHOLE
    local name
    only_plain "$1"
    name=${REPLY:0:52}
    digest "$2" && REPLY=$name--$REPLY
}

# TEXT as the name of a directory: 1 to 64 bytes of [A-Za-z0-9._-], no dot in front. A text that loses something on the way
# gets the digest of the WHOLE text, and so does one that looks as if it had: no two texts share a name.
plain_name() { # TEXT [WHOLE]
    only_plain "$1"
    [[ -n $1 && ${#1} -le 64 && $REPLY == "$1" && ! $1 =~ --[0-9a-f]{10}$ ]] || with_digest "$1" "${2-$1}"
}

# A workflow without a name is called after its file; one that is only named like a file gets a digest.
workflow_name() { # GITHUB_WORKFLOW
    case $1 in
    .github/workflows/*.yml | .github/workflows/*.yaml) plain_name "${1#.github/workflows/}" "$1" ;;
    *.yml | *.yaml) with_digest "$1" "$1" ;;
    *) plain_name "$1" ;;
    esac
}

# WORKFLOW/RUN of this workflow job, in `parent`, and what its directory is called before the part that makes it unique, in
# `name`. Of variables that a workflow cannot change: GitHub's runner sets them anew for each step.
locate() {
    local part value
    parent=${settings[layout]:-}
    [[ -n $parent ]] || return
    for part in owner repository workflow run_id; do
        case $part in
        owner) value=${GITHUB_REPOSITORY%%/*} ;;
        repository) value=${GITHUB_REPOSITORY#*/} ;;
        workflow) value=$GITHUB_WORKFLOW ;;
        run_id) value=$GITHUB_RUN_ID ;;
        esac
        if [[ $part == workflow ]]; then workflow_name "$value"; else plain_name "$value"; fi || return
        parent=${parent//"{$part}"/"$REPLY"}
    done
    plain_name "$GITHUB_RUN_ATTEMPT" && name=$REPLY &&
        plain_name "$GITHUB_JOB" && name+=-$REPLY &&
        plain_name "$RUNNER_NAME" && name+=-$REPLY
}

# --- labels -------------------------------------------------------------------------------------------------------

# The first 200 characters of any bytes as a JSON string, in REPLY; what is no UTF-8 becomes U+FFFD.
json_string() { # TEXT
    local LC_ALL=C left=$1 text='' length i character
    for ((i = 0; i < 200 && ${#left}; i++)); do
        length=1
        case $left in
        [\"\\]*) text+=\\ ;;
        [[:cntrl:]]*)
            printf -v character '\\u%04x' "'${left:0:1}"
            text+=$character left=${left:1}
            continue
            ;;
        [$'\x20'-$'\x7e']*) ;;
        [$'\xc2'-$'\xdf'][$'\x80'-$'\xbf']*) length=2 ;;
        $'\xe0'[$'\xa0'-$'\xbf'][$'\x80'-$'\xbf']* | \
            [$'\xe1'-$'\xec'$'\xee'$'\xef'][$'\x80'-$'\xbf'][$'\x80'-$'\xbf']* | \
            $'\xed'[$'\x80'-$'\x9f'][$'\x80'-$'\xbf']*) length=3 ;;
        $'\xf0'[$'\x90'-$'\xbf'][$'\x80'-$'\xbf'][$'\x80'-$'\xbf']* | \
            [$'\xf1'-$'\xf3'][$'\x80'-$'\xbf'][$'\x80'-$'\xbf'][$'\x80'-$'\xbf']* | \
            $'\xf4'[$'\x80'-$'\x8f'][$'\x80'-$'\xbf'][$'\x80'-$'\xbf']*) length=4 ;;
        *)
            text+='\ufffd' left=${left:1}
            continue
            ;;
        esac
        text+=${left:0:length} left=${left:length}
    done
    REPLY=\"$text\"
}

# Readers see all of it or nothing.
write_label() { # FILE KEY VALUE…
    local file=$1 text='' separator='{'
    shift
    while (($#)); do
        json_string "$2"
        text+=$separator\"$1\":$REPLY separator=,
        shift 2
    done
    printf '%s}\n' "$text" >"$file.new" && mv -fT "$file.new" "$file"
}

now() { TZ=UTC0 printf '%(%Y-%m-%dT%H:%M:%SZ)T' -1; }

# --- hooks of the user's own --------------------------------------------------------------------------------------

# What the config or the image names, run as GitHub's runner would; its exit code is the workflow job's affair.
run_users_hook() { # started|completed VARIABLE
    local hook=${settings[$1]:-}
    [[ -n $hook ]] || return 0
    if [[ $hook != /*.sh && $hook != /*.js && $hook != /*.ps1 ]]; then
        printf "::error::%s is not a valid path to a script. Make sure it ends in '.sh', '.ps1' or '.js'.\n" "${hook//[[:cntrl:]]/ }"
        return 1
    elif [[ ! -f $hook ]]; then
        printf "::error::File doesn't exist: %s\n" "${hook//[[:cntrl:]]/ }"
        return 1
    fi
    (
        export "$2=$hook"
        case $hook in
        *.sh) exec bash -e "$hook" ;;
        *.js) exec "$(newest_node)" "$hook" ;;
        *.ps1) exec pwsh -command ". '${hook//"'"/"''"}'" ;;
        esac
    )
}

newest_node() {
    local node
    node=$(printf '%s\n' "${settings[externals]:-}"/node*[0-9]/bin/node | sort -V | tail -n 1)
    [[ -x $node ]] || node=node
    printf '%s' "$node"
}
