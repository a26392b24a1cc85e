#!/bin/bash
# Keeps PATH in .path and some variables in .env. To be sourced in the runner's root; the first value kept stays.

kept_variables=(LANG JAVA_HOME ANT_HOME M2_HOME ANDROID_HOME ANDROID_SDK_ROOT GRADLE_HOME NVM_BIN NVM_PATH
    LD_LIBRARY_PATH PERL5LIB)

echo "$PATH" >.path
touch .env
for variable in "${kept_variables[@]}"; do
    if [[ -n "${!variable}" ]] && ! grep -q "^$variable=" .env; then
        echo "$variable=${!variable}" >>.env
    fi
done
