#!/bin/sh
# Stands in for docker: what it runs is no child of it, gets the variables that were named and no others, and outlives it.
HERE=$(dirname "$0")
echo "$@" >> "$HERE/asked"
if [ "$1" = rm ]; then
    [ -e "$HERE/$3.pid" ] && kill -9 "$(cat "$HERE/$3.pid")"
    exit 0
fi
shift
while [ $# -gt 0 ]; do
    case "$1" in
    --name) NAME=$2; shift 2 ;;
    -e) KEPT="$KEPT $2=$(printenv "$2")"; shift 2 ;;
    --network | -v) shift 2 ;;
    --rm) shift ;;
    *) break ;;
    esac
done
shift # the image
if [ "$1" = --help ]; then exec python3 -m instances.launcher --help; fi
env -i PATH="$PATH" HOME="$HOME" $KEPT setsid python3 -m instances.launcher "$@" &
PID=$!
echo $PID > "$HERE/$NAME.pid"
trap 'kill -TERM $PID' TERM
wait $PID
wait $PID
