#!/bin/bash
# ACTIONS_RUNNER_HOOK_JOB_STARTED of GitHub's listener: tells the monitor which workflow job begins, makes the directory for
# its report and tells the steps where it is, then runs the user's own hook. Nothing of ours ever fails or holds up a workflow job.
# shellcheck disable=SC2317 # functions are reached through `within`
set +e # GitHub's runner calls `bash -e`
# shellcheck source=src/runner/report.sh
source "${0%/*}/report.sh" || exit 0
readonly limit=10 # seconds

# Reporters of every version find one of these; they say where, not whether. html/ is a directory of its own, because the
# reporter deletes all of it before it writes. No blob reports: what merges them expects them in the workspace.
announce() { # DIRECTORY
    [[ -n $1 && $1 != *$'\n'* && -f ${GITHUB_ENV:-} ]] || return
    printf '%s\n' "RUNNERCTL_REPORT_DIR=$1" \
        "PLAYWRIGHT_HTML_OUTPUT_DIR=$1/html" "PLAYWRIGHT_HTML_REPORT=$1/html" \
        PLAYWRIGHT_HTML_OPEN=never PW_TEST_HTML_REPORT_OPEN=never \
        "PLAYWRIGHT_JSON_OUTPUT_FILE=$1/results.json" "PLAYWRIGHT_JSON_OUTPUT_NAME=$1/results.json" \
        "PLAYWRIGHT_JUNIT_OUTPUT_FILE=$1/junit.xml" "PLAYWRIGHT_JUNIT_OUTPUT_NAME=$1/junit.xml" >>"$GITHUB_ENV"
}

# The steps write where they would have written, and none fails for a directory that is not there.
do_not_keep() { # WHY
    printf '::warning title=Report not kept::%s\n' "${1//[[:cntrl:]]/ }"
    if ! { directory=$(mktemp -d "${RUNNER_TEMP:-/tmp}/report-XXXXXXXX") && announce "$directory"; } 2>/dev/null; then
        say 'the steps get no report directory at all'
    fi
}

is_real_directory() { [[ -d $1 && ! -L $1 ]]; }

# Nobody else's, through no link that a workflow left below /reports, and readable for a report server.
make_directory() {
    local level
    for _ in 1 2 3; do # an empty directory may be deleted in between
        for level in "$reports/${parent%/*}" "$reports/$parent"; do
            is_real_directory "$level" || problem=$(mkdir "$level" 2>&1) || is_real_directory "$level" || continue 2
        done
        directory=$(mktemp -d "$reports/$parent/$name-XXXXXXXX" 2>&1) && break
        problem=$directory directory=''
    done
    [[ -n $directory && $(cd -P "$directory" && pwd) == "$(cd -P "$reports" && pwd)/$parent/${directory##*/}" ]] &&
        problem=$( { chmod 0755 "$directory" && mkdir "$directory/.runnerctl" && write_started; } 2>&1)
}

write_started() {
    write_label "$directory/.runnerctl/started.json" \
        repository "$GITHUB_REPOSITORY" workflow "$GITHUB_WORKFLOW" run_attempt "$GITHUB_RUN_ATTEMPT" \
        workflow_job "$GITHUB_JOB" runner "$RUNNER_NAME" ref "$GITHUB_REF" sha "$GITHUB_SHA" actor "$GITHUB_ACTOR" \
        started "$(now)"
}

# For the host to read. GitHub's runner empties this directory at the start of each workflow job.
tell_monitor() {
    [[ -d ${RUNNER_TEMP:-} ]] && write_label "$RUNNER_TEMP/_runnerctl_workflow_job" \
        repository "$GITHUB_REPOSITORY" workflow "$GITHUB_WORKFLOW" workflow_job "$GITHUB_JOB" run_id "$GITHUB_RUN_ID"
}

file_report() {
    local parent name directory='' problem=''
    umask 022
    tell_monitor 2>/dev/null
    if ! locate; then
        do_not_keep 'the names of this workflow job could not be turned into those of directories'
    elif [[ -e $reports/.runnerctl/over-budget/${parent%/*} ]]; then
        do_not_keep "the reports of ${parent%/*} take more of the host's disk than they may; older ones have to go first"
    elif ! make_directory; then
        do_not_keep "no directory can be made below /reports/$parent: $problem"
    elif announce "$directory"; then
        say "reports are kept in /reports/$parent/${directory##*/}"
        printf '%s\n' "${directory##*/}" >"$remembered"
    else
        rm -rf "$directory"
    fi
}

if [[ ${1:-} == file_report ]]; then
    read_settings
    file_report
    exit
fi
read_settings
within "$limit" file_report
# Each step has a file of its own: there is something in it when all went well.
[[ -s ${GITHUB_ENV:-} ]] || do_not_keep "no directory could be made below /reports and told to the steps within $limit seconds"
run_users_hook started ACTIONS_RUNNER_HOOK_JOB_STARTED
