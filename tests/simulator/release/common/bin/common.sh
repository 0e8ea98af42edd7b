#!/usr/bin/env bash
# Functions shared by the start scripts.

# export_env_from_conf FILE: export the settings with UPPERCASE names ("NAME = value").
# Blanks around "=" are dropped, the value is evaluated by the shell; all other lines are left alone.
export_env_from_conf() {
    local line pair
    while IFS= read -r line || [[ -n $line ]]; do
        if [[ $line =~ ^[[:blank:]]*([A-Z][A-Z_0-9]*)[[:blank:]]*=[[:blank:]]*(.*)$ ]]; then
            pair=$(eval "echo ${BASH_REMATCH[1]}=${BASH_REMATCH[2]}")
            export "${pair?}"
        fi
    done < "$1"
}

# java_major_version JAVA: prints 8, 11, 17, ...; nothing when the program does not run.
java_major_version() {
    "$1" -Xms32M -Xmx32M -version 2>&1 | sed -n 's/.*version "\(1\.\)\{0,1\}\([0-9]*\).*/\2/p' | head -n 1
}

# home_of_program NAME: the directory above bin/NAME, links followed; nothing when NAME is not on the PATH.
home_of_program() {
    local program
    program=$(command -v "$1") && dirname "$(dirname "$(readlink -f "$program")")"
}
