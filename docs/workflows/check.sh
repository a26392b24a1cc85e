#!/bin/bash
# Checks that the example workflows are valid: against the schema of GitHub's workflow files, and with zizmor, which also
# reads the expressions in them and looks for insecure habits. `check.sh FILE…` checks other files.
# Needs python3 with venv (Debian: python3-venv); both tools are installed below target/ once and work offline from then on.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly tools=(check-jsonschema==0.39.0 zizmor==1.32.0)
readonly venv=${CARGO_TARGET_DIR:-$here/../../target}/workflow-check

install_tools() {
    [[ -f $venv/installed && $(<"$venv/installed") == "${tools[*]}" ]] && return
    if ! python3 -m venv --clear "$venv"; then
        echo 'hint: python3 with venv is needed (Debian: apt install python3-venv)' >&2
        exit 1
    fi
    "$venv/bin/pip" install --quiet --disable-pip-version-check "${tools[@]}"
    printf '%s\n' "${tools[*]}" >"$venv/installed"
}

follow_the_schema() { "$venv/bin/check-jsonschema" --builtin-schema vendor.github-workflows "$@"; }

# An expression that zizmor cannot read is a warning to it, and an error to GitHub.
have_good_habits() {
    local said status=0
    said=$("$venv/bin/zizmor" --offline --no-progress --color=never --collect=workflows --config "$here/zizmor.yml" "$@" 2>&1) ||
        status=$?
    printf '%s\n' "$said"
    [[ $said != *'WARN '* ]] || status=1
    return "$status"
}

# A check that accepts everything would be none: each of the two has to refuse a workflow with one thing wrong.
refuse_what_is_wrong() {
    local broken
    broken=$(mktemp --directory)
    # shellcheck disable=SC2064 # the directory of now is meant
    trap "rm -rf '$broken'" EXIT
    sed 's/runs-on:/run-on:/' "$here/monitor.yml" >"$broken/key.yml"
    # shellcheck disable=SC2016 # an expression of GitHub's, not of bash
    sed 's/run: npm ci/run: echo ${{ github.head_ref }}/' "$here/playwright.yml" >"$broken/injection.yml"
    # shellcheck disable=SC2016
    sed 's/github.ref }}/github.ref }/' "$here/playwright.yml" >"$broken/expression.yml"
    if follow_the_schema "$broken/key.yml" >/dev/null 2>&1; then
        echo 'error: check-jsonschema accepts a workflow with a misspelt key' >&2
        exit 1
    fi
    if have_good_habits "$broken/injection.yml" >/dev/null 2>&1; then
        echo 'error: zizmor accepts a workflow that runs text from outside' >&2
        exit 1
    fi
    if have_good_habits "$broken/expression.yml" >/dev/null 2>&1; then
        echo 'error: zizmor accepts an expression that does not end' >&2
        exit 1
    fi
}

files=("$@")
((${#files[@]})) || files=("$here"/{deploy,monitor,playwright}.yml)
install_tools
refuse_what_is_wrong
follow_the_schema "${files[@]}"
have_good_habits "${files[@]}"
