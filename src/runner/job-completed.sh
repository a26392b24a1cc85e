#!/bin/bash
# ACTIONS_RUNNER_HOOK_JOB_COMPLETED of GitHub's listener: runs the user's own hook, says that the report is finished and
# where it is, and empties the workspace. Nothing of ours ever fails or holds up a workflow job.
# shellcheck disable=SC2317 # functions are reached through `within`
set +e # GitHub's runner calls `bash -e`
# shellcheck source=src/runner/report.sh
source "${0%/*}/report.sh" || exit 0
shopt -s nullglob dotglob
readonly report_limit=30 chmod_limit=20 workspace_limit=60 # seconds

# The directory that the started hook made, in `directory`. A workflow may have written anything to where its name stands, so
# only one of this workflow job's own is taken, reached through no link.
find_directory() {
    local made=''
    locate || return
    [[ ! -f $remembered ]] || IFS= read -r made <"$remembered"
    [[ -n $made ]] || made=${RUNNERCTL_REPORT_DIR##*/}
    [[ $made == "$name"-* && ${made#"$name"-} =~ ^[A-Za-z0-9]{8}$ ]] || return
    directory=$reports/$parent/$made
    [[ -f $directory/.runnerctl/started.json &&
        $(cd -P "$directory" && pwd) == "$(cd -P "$reports" && pwd)/$parent/$made" ]]
}

finish_report() {
    local parent name directory
    umask 022
    find_directory || return 0
    local files=("$directory"/*)
    if ((${#files[@]} == 1)); then # .runnerctl
        rm -rf "$directory/.runnerctl" && rmdir "$directory" "$reports/$parent" "$reports/${parent%/*}" 2>/dev/null
        return 0
    fi
    # Links are passed over. What root of the host's engine wrote stays as it is.
    timeout --kill-after=1 "$chmod_limit" chmod -R a+rX "$directory" 2>/dev/null
    write_label "$directory/.runnerctl/finished.json" finished "$(now)" || say 'the report cannot be marked as finished'
    tell_where
}

tell_where() {
    local place=$parent/${directory##*/} line
    if [[ -n ${settings[url]:-} ]]; then
        line="[Report](${settings[url]}r/$place/"
        [[ ! -f $directory/html/index.html ]] || line+=html/
        line+=')'
    else
        line="Report: \`/reports/$place\` on the host of runner \`$RUNNER_NAME\`"
    fi
    say "reports are in /reports/$place"
    [[ ! -f ${GITHUB_STEP_SUMMARY:-} ]] || printf '%s\n' "$line" >>"$GITHUB_STEP_SUMMARY"
}

# What is in the workspace and nothing else: the directory itself stays, no link leads out of it, and other file systems
# in it are not entered.
clean_workspace() {
    local work relative entries i attempt
    relative=${GITHUB_WORKSPACE#"${settings[work]}"/}
    case $relative in
    "$GITHUB_WORKSPACE" | _temp/* | _actions/* | _tool/* | _PipelineMapping/*) return ;;
    esac
    work=$(cd -P "${settings[work]}" && pwd) && cd -P "$GITHUB_WORKSPACE" 2>/dev/null || return
    [[ $relative == */* && $PWD == "$work/$relative" ]] || return
    for attempt in 1 2; do
        entries=(./*)
        # More names than this may be too many for one command.
        for ((i = 0; i < ${#entries[@]}; i += 500)); do
            # Directories that a tool made read-only keep even their owner from emptying them.
            ((attempt == 1)) || chmod -R u+rwX "${entries[@]:i:500}"
            rm -rf --one-file-system "${entries[@]:i:500}"
        done 2>/dev/null
    done
    entries=(*)
    ((!${#entries[@]})) || say "not all of the workspace can be deleted, such as $(printf '%q' "${entries[0]}"): files of another user?"
}

case ${1:-} in
finish_report | clean_workspace)
    read_settings
    "$1"
    exit
    ;;
esac
read_settings
# First: it may want the workspace, and add to the report.
run_users_hook completed ACTIONS_RUNNER_HOOK_JOB_COMPLETED
code=$?
within "$report_limit" finish_report || say "the report could not be finished within $report_limit seconds"
if [[ ${settings[clean_workspace]:-} == 1 ]]; then
    within "$workspace_limit" clean_workspace || say "the workspace could not be emptied within $workspace_limit seconds"
fi
exit "$code"
