#!/bin/bash
# PID 1 of a runner container, started as root: registers the runner once, keeps its identity, then runs GitHub's
# listener as the user `runner` and gives systemd an exit code that says why it ended (src/runner/exit.rs).
# An ephemeral runner is registered by the host, gets its identity for this one start, and keeps nothing.
# Needs bash >= 4.4, coreutils and util-linux' setpriv; works in any image with bin/Runner.Listener in /home/runner or
# /actions-runner. For tests: RUNNERCTL_SYSROOT goes before every path that is fixed inside the
# container, RUNNERCTL_REFRESH_SECONDS is the time between two looks at the session and the disk.
# shellcheck disable=SC2317 # many functions are reached through `trap` and `launch` only
set -uo pipefail
set +x    # SHELLOPTS=xtrace in the container's environment would print the token
umask 077 # identity and token; what workflows write gets the usual mask, see `listen`

readonly sysroot=${RUNNERCTL_SYSROOT:-}
readonly run_dir=$sysroot/run/homelab-runner
readonly identity=$run_dir/identity token_dir=$run_dir/token status=$run_dir/status
readonly engine=$run_dir/engine private_engine=${RUNNERCTL_PRIVATE_ENGINE:-} runner_id=${RUNNERCTL_RUNNER_ID:-}
readonly work=${RUNNERCTL_WORK:?} reports=$sysroot/reports socket=$sysroot/var/run/docker.sock
readonly perf_dir=${RUNNER_PERFLOG:-$status/perf}
readonly token_name=${RUNNERCTL_TOKEN_NAME:-the registration token} token_file=${RUNNERCTL_TOKEN_FILE:-the .env file}
readonly register_command=${RUNNERCTL_REGISTER:-} # what gives a new registration on the host; nothing does with Compose
readonly ephemeral=${RUNNERCTL_EPHEMERAL:-} jit=$token_dir/jit
readonly credential_file=${RUNNERCTL_CREDENTIAL_FILE:-} # not empty: the host asks GitHub for tokens with what is in it
# `.runner` is last: the runner calls itself configured when it is there, so its presence marks a complete set.
readonly identity_files=(.credentials .credentials_rsaparams .credentials_migrated .runner_migrated .runner)
readonly has_job_hooks=${RUNNERCTL_JOB_HOOKS:-}
# What our hooks have to know of this runner. In a file: workflow steps can change the environment of later ones.
readonly hook_settings=("work=$work" "started=${ACTIONS_RUNNER_HOOK_JOB_STARTED:-}" "completed=${ACTIONS_RUNNER_HOOK_JOB_COMPLETED:-}")
readonly refresh_seconds=${RUNNERCTL_REFRESH_SECONDS:-30}
readonly engine_limit=600 # tenths of a second
readonly free_disk_min=${RUNNERCTL_FREE_DISK_MIN:-0} # bytes; 0: no floor
declare -A want=(
    [url]=${RUNNERCTL_URL:?} [name]=${RUNNERCTL_NAME:?} [labels]=${RUNNERCTL_LABELS:-} [group]=${RUNNERCTL_GROUP:-}
    [no_default_labels]=${RUNNERCTL_NO_DEFAULT_LABELS:-} [replace]=${RUNNERCTL_REPLACE:-}
)
want[url]=${want[url]%/}

# From here on no program inherits what was for this script, nor a credential that somebody put into the environment.
# `registration_token` among them: a variable that came exported would stay exported when the token is assigned to it.
unset -v registration_token "${!RUNNERCTL_@}" "${!ACTIONS_RUNNER_INPUT_@}" "${!RUNNER_TOKEN@}" \
    ACCESS_TOKEN APP_PRIVATE_KEY GITHUB_ACTIONS_RUNNER_HTTPTRACE # the last one writes credentials to the log
export RUNNER_PERFLOG=$perf_dir
export ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE=1

runner_root='' sink_fd='' clock='' clock_fd='' child='' child_target='' child_status=0 killer=''
stop_asked=0 ending=0 no_space=''
drop=() # the command that becomes the user `runner`

exec {nap_fd}<> <(:) # never readable and never at its end: `read -t` on it sleeps without a process
nap() { read -rt "$1" -u "$nap_fd" _ || true; }

say() { printf 'runner %s: %s\n' "${want[name]}" "$1" >&2; }

# Readers see the old text or the new one. The clock writes too: see `end_clock`.
set_state() { # WORD SENTENCE
    local new=$status/.state.$BASHPID.new
    printf '%s\n%s\n' "$1" "$2" >"$new" && chmod 0644 "$new" && mv -fT "$new" "$status/state"
}

fail() { # CODE CAUSE HINT
    local cause
    cause=$(mask_tokens "${2//[[:cntrl:]]/ }")
    set_state failed "$cause"
    say "$cause"
    printf 'hint: %s\n' "$3" >&2
    exit "$1"
}

stopped() {
    set_state stopping 'asked to stop'
    exit 0
}

# Anything of a token's shape, besides the token itself: GitHub may answer with another one.
mask_tokens() { # LINE
    local LC_ALL=C line=$1
    [[ -z ${registration_token:-} ]] || line=${line//"$registration_token"/***}
    while [[ $line =~ (gh[oprsu]_|github_pat_|eyJ)[A-Za-z0-9_.-]{16,}|[A-Z0-9]{26,} ]]; do
        line=${line//"${BASH_REMATCH[0]}"/***}
    done
    printf '%s\n' "$line"
}

# --- the user `runner` --------------------------------------------------------------------------------------------

find_runner_root() {
    local dir
    for dir in "$sysroot/home/runner" "$sysroot/actions-runner"; do
        [[ -x $dir/bin/Runner.Listener ]] && runner_root=$dir && return
    done
    fail 75 'the image holds no bin/Runner.Listener in /home/runner or /actions-runner' \
        'set the image to one of a GitHub Actions runner'
}

find_runner_user() {
    local user uid gid home groups=() name id members socket_gid
    ((EUID == 0)) || return 0
    while IFS=: read -r user _ uid gid _ home _; do
        [[ $user == runner ]] && break
    done <"$sysroot/etc/passwd"
    if [[ $user != runner ]] || ! command -v setpriv >/dev/null; then
        say 'the image has no user "runner" or no setpriv: workflow jobs run as root inside the container'
        export RUNNER_ALLOW_RUNASROOT=1
        return
    fi
    if [[ -n $runner_id ]]; then
        renumber_runner "$uid" "$gid"
        uid=$runner_id gid=$runner_id
    fi
    groups=("$gid")
    while IFS=: read -r name _ id members; do
        [[ ,$members, == *,runner,* ]] && groups+=("$id")
    done <"$sysroot/etc/group"
    if [[ -S $socket ]]; then
        socket_gid=$(stat -Lc %g "$socket") && groups+=("$socket_gid")
    fi
    drop=(setpriv --reuid "$uid" --regid "$gid" --groups "$(IFS=,; printf '%s' "${groups[*]}")" --
        env "HOME=$home" USER=runner LOGNAME=runner)
    (as_runner true) || fail 75 "cannot become the user runner (uid $uid)" \
        'the container needs the capabilities SETUID and SETGID, and that uid mapped'
}

# Where ids are not mapped, the user `runner` takes the number of the private engine's account. Only here: what the image gave to the
# old number, anybody may read.
renumber_runner() { # UID GID
    replace_line passwd "runner:x:$1:$2:" "runner:x:$runner_id:$runner_id:"
    replace_line group "runner:x:$2:" "runner:x:$runner_id:"
}

replace_line() { # FILE OLD NEW: how a line begins
    local line text=''
    while IFS= read -r line || [[ -n $line ]]; do
        [[ $line != "$2"* ]] || line=$3${line#"$2"}
        text+=$line$'\n'
    done <"$sysroot/etc/$1"
    printf '%s' "$text" >"$sysroot/etc/$1" || fail 75 "cannot write /etc/$1" 'the container must not be read-only'
}

# Every program of the runner starts here, in a subshell: it replaces the process.
as_runner() { exec "${drop[@]}" "$@"; }

# A link, because a restart of the socket's unit makes another socket.
link_private_engine() {
    [[ -n $private_engine ]] || return 0
    ln -sfT "$engine/docker.sock" "$socket" || fail 75 "cannot link $socket" 'the image needs a writable /var/run'
}

# What the engine shares with this container is attached from outside, once this container runs; a workflow job that came before would find no engine.
await_private_engine() {
    local i
    [[ -n $private_engine ]] || return 0
    for ((i = 0; i < engine_limit; i++)); do
        [[ ! -e $engine/ready ]] || return 0
        ((!stop_asked)) || stopped
        nap 0.1
    done
    fail 75 'the private engine was not attached within a minute' "look at this unit's ExecStartPost= lines in the journal"
}

# Only the tops: going through a work folder or the runner's own files takes minutes when four start at once.
give_directories() {
    local dir owner
    mkdir -p "$work" "$perf_dir"
    rm -f "$perf_dir/Runner.perf" # an old SessionCreated must not count
    if ((${#drop[@]})); then
        owner=${drop[2]}:${drop[4]}
        for dir in "$work" "$runner_root" "$runner_root/_diag"; do
            [[ ! -d $dir || -L $dir ]] || chown "$owner" "$dir" || say "cannot give $dir to the user runner"
        done
        # It stays root's: what lies in it has to be deleted before the next start, and in a user's own fleet our root is that user.
        { chgrp "${drop[4]}" "$perf_dir" && chmod 0770 "$perf_dir"; } || say "cannot let the user runner into $perf_dir"
    fi
    [[ ! -d $reports ]] || (as_runner test -w "$reports") ||
        say "/reports is not writable for the user runner: change the owner or the mode of that directory on the host"
}

# --- identity -----------------------------------------------------------------------------------------------------

is_whole_json() { [[ -f $1 && ! -L $1 && $(<"$1") == *\} ]]; }

identity_is_complete() {
    is_whole_json "$identity/.runner" && is_whole_json "$identity/.credentials" &&
        is_whole_json "$identity/.credentials_rsaparams"
}

# What GitHub was told at registration (src/runner/registration.rs has the same text). Labels are a set without case there.
fingerprint() {
    local LC_ALL=C labels
    export LC_ALL
    labels=$(tr ',A-Z' '\na-z' <<<"${want[labels]}" | sort -u | paste -sd,)
    printf '%s\n' "url=${want[url]}" "name=${want[name]}" "labels=${labels#,}" "group=${want[group]}" \
        "no-default-labels=${want[no_default_labels]:-0}"
}

changed_settings() { # one phrase for each difference to the kept fingerprint
    local key value kept separator=''
    while IFS='=' read -r key value; do
        kept=$(kept_value "$key" "$identity/fingerprint")
        [[ $kept == "$value" ]] && continue
        printf '%s%s (was "%s", wanted "%s")' "$separator" "$key" "$kept" "$value"
        separator=', '
    done < <(fingerprint)
}

kept_value() { # KEY FILE: the value of KEY=VALUE
    local key value
    [[ -f $2 ]] || return 0
    while IFS='=' read -r key value; do
        [[ $key != "$1" ]] || printf '%s' "$value"
    done <"$2"
}

# Does that file speak of this name at this place?
is_of_this_name() { # FILE
    [[ -f $1 && $(kept_value url "$1") == "${want[url]}" && $(kept_value name "$1") == "${want[name]}" ]]
}

# A name is ours when we registered it before, or were cut off while doing so (`registering`, see show_config_output). `replace` takes another's name, but never one
# that was taken from us (`lost`): two hosts with that setting would take it from each other for ever.
name_is_ours() {
    ! is_of_this_name "$identity/fingerprint" || return 0
    ! is_of_this_name "$identity/registering" || return 0
    [[ ${want[replace]} == 1 ]] && ! is_of_this_name "$identity/lost"
}

# Copies, not bind mounts of single files: the runner replaces and deletes these files. Written and read as `runner`,
# so that a link which a workflow left in the runner's directory leads root nowhere.
restore_identity() {
    local file
    for file in "${identity_files[@]}"; do
        [[ ! -f $identity/$file ]] || (as_runner tee "$runner_root/$file") <"$identity/$file" >/dev/null ||
            fail 75 "cannot copy $file into $runner_root" 'see the line above'
    done
}

keep_file() {
    local new=$identity/$1.$BASHPID.new
    (as_runner timeout 5 cat "$runner_root/$1") >"$new" && is_whole_json "$new" && sync "$new" &&
        mv -fT "$new" "$identity/$1"
}

# The service can have the runner rewrite its files while it runs (*_migrated).
keep_refreshed_files() {
    local file
    [[ -f $runner_root/.runner ]] || return 0
    for file in "${identity_files[@]}"; do
        [[ ! -f $runner_root/$file || ! $runner_root/$file -nt $identity/$file ]] || keep_file "$file"
    done
}

# GitHub does not know us any more: the registration was removed, or another host has taken it.
lose_identity() {
    if ! printf '%s\n' "url=${want[url]}" "name=${want[name]}" >"$identity/lost.new" || ! mv -fT "$identity"/lost{.new,}; then
        say "cannot write $identity/lost: with replace = true this runner takes its name back, whoever has it now"
    fi
    rm -f "$identity/.runner" && rm -f "${identity_files[@]/#/$identity/}" "$identity"/{fingerprint,registering}
}

# The old `.runner` goes first and the new one comes last: whatever is cut off in between reads as "no identity", with
# `registering` still there to say that the name is ours.
keep_new_identity() {
    local file
    rm -f "${identity_files[@]/#/$identity/}"
    for file in "${identity_files[@]}"; do
        if [[ $file == .runner ]]; then
            fingerprint >"$identity/fingerprint.new" && sync "$identity/fingerprint.new" &&
                mv -fT "$identity/fingerprint.new" "$identity/fingerprint" || return
        fi
        [[ ! -f $runner_root/$file ]] || keep_file "$file" || return
    done
    identity_is_complete && sync "$identity" && rm -f "$identity"/{registering,lost}
}

# --- child processes and signals ----------------------------------------------------------------------------------

# In a process group of its own (set -m): config.sh is a script with the program below it, so it is interrupted as a
# group, and the listener alone. Without job control bash may also start background programs with SIGINT ignored, and
# SIGINT is the only signal on which the listener waits for its worker and ends its session.
launch() { # FUNCTION [ARGUMENT…]
    ((!stop_asked)) || stopped
    set -m
    (
        exec {nap_fd}>&- {sink_fd}>&-
        [[ -z $clock_fd ]] || exec {clock_fd}>&-
        cd "$runner_root" && "$@"
    ) </dev/null &
    child=$! child_target=$child
    set +m
    [[ $1 != configure ]] || child_target=-$child
    ((!stop_asked)) || kill -INT -- "$child_target"
}

wait_for_child() {
    while :; do # a signal that is handled here ends `wait`, not the child
        wait "$child"
        child_status=$?
        kill -0 "$child" 2>/dev/null || break
    done
    wait "$child" 2>/dev/null # its own status, if a signal had come between
    local own=$?
    ((own == 127)) || child_status=$own
    child=''
}

# A process that the runner left behind may hold the pipe, so the reader gets two seconds to see its end.
reader_status() { # PID
    local i
    for ((i = 0; i < 200; i++)); do
        kill -0 "$1" 2>/dev/null || break
        nap 0.01
    done
    kill -KILL "$1" 2>/dev/null
    wait "$1" 2>/dev/null
}

# What a signal has stopped hears nothing before it is told to go on.
interrupt() { # PROCESS, or -GROUP
    kill -INT -- "$1" 2>/dev/null
    kill -CONT -- "$1" 2>/dev/null
}

on_stop() {
    ((!stop_asked)) || return 0 # one SIGINT; the runner needs no reminder
    stop_asked=1
    [[ -n $child ]] || return 0 # `launch` sees it
    set_state stopping 'asked to stop; a running workflow job is cancelled and waited for'
    interrupt "$child_target"
}

worker_is_alive() {
    local dir comm stat
    for dir in "$sysroot"/proc/[0-9]*; do
        { read -r comm <"$dir/comm" && read -r stat <"$dir/stat"; } 2>/dev/null || continue
        [[ $comm != Runner.Worker || ${stat##*) } == Z* ]] || return 0
    done
    return 1
}

listener_may_end() { [[ -n $child && $child_target == "$child" ]] && ((!stop_asked && !ending)); }

# Ends an idle listener in order, so that GitHub sends it nothing more; `fail_listener` says why.
end_listener() { # CODE
    ((!ending)) || return 0
    ending=$1
    interrupt "$child"
    { nap 10; kill -KILL "$child"; } 2>/dev/null &
    killer=$!
    disown "$killer" # no word of bash about its end
}

on_unhealthy() { # health.sh asks
    listener_may_end || return 0
    if worker_is_alive; then
        say 'a health check failed, but a workflow job is running: left alone'
        return
    fi
    end_listener 73
}

# Is less free in the work folder than the floor? Says so in `no_space`. What cannot be asked is no reason to end.
disk_is_short() {
    local blocks='' size='' free
    ((free_disk_min)) || return 1
    # What is kept back for root is not free for workflow jobs.
    read -r blocks size < <(stat --file-system --format='%a %S' "$work" 2>/dev/null) || return 1
    [[ $blocks =~ ^[0-9]+$ && $size =~ ^[1-9][0-9]*$ ]] || return 1
    free=$((blocks * size))
    ((free < free_disk_min)) || return 1
    printf -v no_space 'no space: %d.%dG free in %s, floor %d.%dG' "$((free >> 30))" "$(((free & (1 << 30) - 1) * 10 >> 30))" \
        "$work" "$((free_disk_min >> 30))" "$(((free_disk_min & (1 << 30) - 1) * 10 >> 30))"
}
readonly space_hint='free some disk space, or lower prune.free_disk_min; it goes on by itself as soon as there is enough'

session_created() {
    local line created=0
    [[ -f $perf_dir/Runner.perf && ! -L $perf_dir/Runner.perf ]] || return 1
    while IFS= read -r line; do
        case $line in
        RunnerProcessStarted:*) created=0 ;;
        SessionCreated:*) created=1 ;;
        esac
    done <"$perf_dir/Runner.perf"
    ((created))
}

# Looks as soon as there is a session, then every now and then. A process beside the main one, which gets as few signals as can be: bash (seen with 5.2) loses one
# that comes while it still answers another inside of `wait`, and the one lost may be the stop. It ends with the pipe, which the main process alone holds.
watch_session() {
    until session_created; do pause 0.1; done
    set_state online "listening for workflow jobs of ${want[url]}"
    while :; do
        if session_created; then
            [[ -n $ephemeral ]] || keep_refreshed_files
            # The listener cannot be told to wait, so it ends before it takes another workflow job; the next start looks again.
            ! disk_is_short || worker_is_alive || tell_no_space
        fi
        pause "$refresh_seconds"
    done
}

pause() { # SECONDS
    read -rt "$1" _
    (($? > 128)) || exit # the end of the pipe
}

tell_no_space() {
    # Told again and again until the listener has ended, and read by then: never half a file.
    printf '%s\n' "$no_space" >"$status/.no-space.new" && mv -fT "$status"/.no-space{.new,}
    kill -USR2 "$$"
}

on_no_space() {
    ! listener_may_end || worker_is_alive || end_listener 74
}

# Waits for the clock, so that it changes nothing more.
end_clock() {
    exec {clock_fd}>&-
    clock_fd=''
    reader_status "$clock"
}

# --- registration -------------------------------------------------------------------------------------------------

read_token() {
    registration_token=''
    if [[ -e $token_dir/registration-token ]]; then
        IFS= read -r registration_token <"$token_dir/registration-token"
        rm -f "$token_dir/registration-token" || fail 75 'cannot remove the registration token after reading it' \
            "$token_dir must be writable"
        registration_token=${registration_token//[[:space:]]/}
    fi
}

renew_token() { # [AFTER [BEFORE]]
    if [[ -n $credential_file ]]; then
        printf 'see that the credential in %s may register runners at %s, then restart this unit' "$credential_file" "${want[url]}"
    elif [[ -n $register_command ]]; then
        printf '%s' "give a new registration token${1:-} ${2:-}to \`$register_command\`, which keeps it as $token_name in $token_file"
    else
        printf 'put a new registration token %sinto %s in %s%s, then start this container again' "${2:-}" "$token_name" "$token_file" "${1:-}"
    fi
}

fail_without_token() { # CHANGED: what differs from the kept registration, if there is one
    local cause="no registration token and no kept identity" problem='' hint=''
    [[ -z $ephemeral ]] || cause='the host has handed over no identity'
    [[ -z $1 ]] || cause="changed since registration: $1; that needs a new registration, the old one stays untouched"
    # What the host says of the token that it could not get: a cause and the next step.
    if [[ -s $token_dir/delay ]]; then
        { read -r problem && read -r hint; } <"$token_dir/delay"
        fail 75 "$problem" "$hint"
    fi
    if [[ -s $token_dir/problem ]]; then
        { read -r problem && read -r hint; } <"$token_dir/problem"
        [[ -z $1 ]] && cause=$problem || cause+="; $problem"
    fi
    fail 64 "$cause" "${hint:-$(renew_token ' (it lives 1 hour)')}"
}

configure() {
    export ACTIONS_RUNNER_INPUT_TOKEN=$registration_token # in this subshell, which becomes config.sh
    as_runner ./config.sh "$@"
}

# Shows config.sh's output with tokens masked; its exit status is the verdict, if config.sh should fail.
show_config_output() {
    local line verdict=75 limited=0
    trap '' INT TERM PIPE USR1 USR2
    while IFS= read -r line || [[ -n $line ]]; do
        mask_tokens "$line"
        case $line in
        # Only from here on can the name be taken by us, should we be cut off.
        *'Connected to GitHub'*) fingerprint >"$identity/registering.new" && mv -fT "$identity"/registering{.new,} ;;
        *'A runner exists with the same name'*) verdict=67 ;;
        *'Could not find any self-hosted runner group'*) verdict=69 ;;
        *'rate limit'* | *'TooManyRequests'*) limited=1 ;;
        'Http response code: NotFound '* | *'does not indicate success: 404'*) verdict=65 ;;
        'Http response code: Unauthorized '* | 'Http response code: Forbidden '* | \
            *'does not indicate success: 40'[13]*) verdict=66 ;;
        'Http response code: '* | *'does not indicate success: '*) verdict=75 ;;
        esac
    done
    ((limited)) && exit 75
    exit "$verdict"
}

register() {
    local reader verdict pending=0 arguments=(--unattended --disableupdate --url "${want[url]}"
        --name "${want[name]}" --work "$work")
    [[ -z ${want[labels]} ]] || arguments+=(--labels "${want[labels]}")
    [[ -z ${want[group]} ]] || arguments+=(--runnergroup "${want[group]}")
    [[ ${want[no_default_labels]} != 1 ]] || arguments+=(--no-default-labels)
    ! name_is_ours || arguments+=(--replace)
    [[ ! -e $identity/registering ]] || pending=1
    set_state configuring "registering at ${want[url]}"
    exec {sink_fd}> >(show_config_output)
    reader=$!
    launch configure "${arguments[@]}" >&"$sink_fd" 2>&1
    exec {sink_fd}>&-
    wait_for_child
    reader_status "$reader"
    verdict=$?
    if ((child_status == 0)); then
        keep_new_identity || fail 75 'registered, but the identity could not be kept' \
            "look for a full disk or a read-only directory: $identity"
        registration_token=''
        return
    fi
    # GitHub said no, so nothing was registered in this attempt; an earlier one that was cut off still counts.
    ((pending || verdict == 75)) || rm -f "$identity/registering"
    ((!stop_asked)) || stopped
    fail_registration "$verdict"
}

fail_registration() { # VERDICT
    local taken="a runner named ${want[name]} exists at ${want[url]} and is not ours" other
    other='if it is another host'\''s, choose another name_prefix for one of the two; if it is dead, remove it at GitHub'
    if is_of_this_name "$identity/lost"; then
        taken+=' any more: somebody has registered that name since, and it is not taken back by itself'
        other+="${register_command:+, or run \`$register_command\`}"
    else
        other+=', or set replace = true'
    fi
    case $1 in
    65) fail 65 "GitHub does not know the registration token: expired (it lives 1 hour) or issued for another URL than ${want[url]}" \
        "$(renew_token '' "for ${want[url]} ")" ;;
    66) fail 66 "GitHub refused the registration at ${want[url]}" \
        "check that self-hosted runners are allowed there; else $(renew_token)" ;;
    67) fail 67 "$taken" "$other" ;;
    69) fail 66 "there is no runner group \"${want[group]}\" for ${want[url]}" 'correct runner_group' ;;
    *) fail 75 "could not register at ${want[url]} (config.sh ended with $child_status): network, rate limit or GitHub itself" \
        'tried again by itself; the output of config.sh is above' ;;
    esac
}

prepare_identity() {
    local changed='' old=''
    rm -f "$identity"/.[!.]*.new "$identity"/*.new "${identity_files[@]/#/$runner_root/}"
    read_token
    if identity_is_complete; then
        changed=$(changed_settings)
        if [[ -z $changed ]]; then
            registration_token=''
            rm -f "$identity"/{registering,lost} # the start that made it whole may have been cut off right then
            restore_identity
            return
        fi
    elif [[ -e $identity/.runner || -e $identity/.credentials || -e $identity/.credentials_rsaparams ]]; then
        say 'the kept identity is incomplete: taken as none'
    fi
    [[ -n $registration_token ]] || fail_without_token "$changed"
    if [[ -n $changed ]]; then
        say "registering again, because these changed: $changed"
        is_of_this_name "$identity/fingerprint" ||
            old="$(kept_value name "$identity/fingerprint") at $(kept_value url "$identity/fingerprint")"
    fi
    register
    [[ -z $old ]] || say "its old registration stays at GitHub until somebody removes it there: $old"
}

# Files, not ACTIONS_RUNNER_INPUT_JITCONFIG: what stands in the listener's environment at its start can be read there as long as it lives, and all that the
# listener does with that variable is to write these files.
take_identity() {
    local file names=()
    rm -f "${identity_files[@]/#/$runner_root/}"
    for file in .runner .credentials .credentials_rsaparams; do
        is_whole_json "$jit/$file" || fail_without_token ''
    done
    for file in "$jit"/.[!.]*; do
        names+=("${file##*/}")
    done
    for file in "${names[@]}"; do
        (umask 077 && as_runner tee "$runner_root/$file") <"$jit/$file" >/dev/null ||
            fail 75 "cannot copy $file into $runner_root" 'see the line above'
        rm -f "$jit/$file" || fail 75 "cannot remove $file after copying it" "$jit must be writable"
    done
}

# --- the listener -------------------------------------------------------------------------------------------------

# A user's own hooks are run by ours.
set_job_hooks() {
    local file=$status/hooks
    [[ -n $has_job_hooks ]] || return 0
    if printf '%s\0' "${hook_settings[@]}" "externals=$runner_root/externals" >"$file.new" && chmod 0644 "$file.new" &&
        mv -fT "$file.new" "$file"; then
        export ACTIONS_RUNNER_HOOK_JOB_STARTED=$run_dir/scripts/job-started.sh
        export ACTIONS_RUNNER_HOOK_JOB_COMPLETED=$run_dir/scripts/job-completed.sh
    else
        say "cannot write $file: no workflow job gets a directory for its report"
    fi
}

listen() {
    umask 022
    as_runner bin/Runner.Listener run
}

# Passes the listener's stderr on; its exit status is 72 if the line about a deleted registration was there. Anchored,
# and stderr only: names of workflow jobs, which anybody may choose, go to stdout.
watch_stderr() {
    local line removed=0
    trap '' INT TERM PIPE USR1 USR2
    exec {clock_fd}>&-
    while IFS= read -r line || [[ -n $line ]]; do
        printf '%s\n' "$line" >&2
        [[ $line != 'Failed to create a session. The runner registration has been deleted'* ]] || removed=72
    done
    exit "$removed"
}

run_listener() {
    local reader removed
    set_state connecting "waiting for a session at ${want[url]}"
    rm -f "$status/.no-space"
    exec {clock_fd}> >(watch_session)
    clock=$!
    exec {sink_fd}> >(watch_stderr) # the last one, because older versions of bash can wait only for that
    reader=$!
    launch listen 2>&"$sink_fd"
    exec {sink_fd}>&-
    wait_for_child
    [[ -z $killer ]] || kill -KILL "$killer" 2>/dev/null # first: it holds the clock's pipe open
    end_clock
    reader_status "$reader"
    removed=$?
    [[ -z $ephemeral ]] || end_ephemeral "$removed"
    ((child_status != 0)) || [[ -f $runner_root/.runner ]] || removed=72
    if ((removed == 72)) && ((child_status <= 1)); then
        lose_identity
        ((!stop_asked)) || stopped
        fail 72 'the registration was removed at GitHub; the kept identity is deleted' \
            "${credential_file:+registered again by itself; if not: }$(renew_token)"
    fi
    keep_refreshed_files
    ((!stop_asked)) || stopped
    fail_listener
}

had_workflow_job() {
    local line
    [[ -f $perf_dir/Runner.perf && ! -L $perf_dir/Runner.perf ]] || return 1
    while IFS= read -r line; do
        [[ $line != MessageReceived_RunnerJobRequest:* ]] || return 0
    done <"$perf_dir/Runner.perf"
    return 1
}

# There is no identity to keep or to forget: the next start is another runner.
end_ephemeral() { # 72 where GitHub said that the registration is gone
    ((!stop_asked)) || stopped
    if ((child_status == 0 && !ending)) && had_workflow_job; then
        set_state 'done' 'the workflow job has ended; the next start is another runner'
        exit 0
    fi
    if (($1 == 72 && child_status <= 1 || child_status == 0 && !ending)); then
        fail 72 'the registration was removed at GitHub before a workflow job came' 'the next start is another runner'
    fi
    fail_listener
}

fail_listener() {
    local again='restarted by itself; the lines of the listener are above'
    ((ending != 73)) || fail 73 'unhealthy: the health check asked for a restart' 'restarted by itself'
    ((ending != 74)) || fail 74 "$(<"$status/.no-space")" "$space_hint"
    case $child_status in
    3 | 4) fail 75 'the listener ended to update itself, but updates are disabled' 'use a newer runner image' ;;
    5) fail 70 'GitHub holds another session of this runner' \
        'restarted by itself; look for a second runner with the same identity if this repeats' ;;
    7) fail 71 'GitHub refuses this version of the runner' 'use a newer runner image, then restart this unit' ;;
    *) fail 75 "the listener ended with $child_status" "$again" ;;
    esac
}

main() {
    trap on_stop INT TERM
    trap on_unhealthy USR1
    trap on_no_space USR2
    # With nothing mounted there (Compose), it is the container's own; the user `runner` has to get through to perf/.
    [[ -d $status ]] || (umask 022 && mkdir -p "$status")
    rm -f "$status/health"
    set_state starting 'preparing the runner'
    find_runner_root
    link_private_engine
    find_runner_user
    give_directories
    ! disk_is_short || fail 74 "$no_space" "$space_hint"
    if [[ -n $ephemeral ]]; then take_identity; else prepare_identity; fi
    await_private_engine
    set_job_hooks
    run_listener
}
main
