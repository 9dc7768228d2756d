#!/bin/sh
# Records a run from a shell, without any library: lines of JSON, appended to a file.
#
#     outrider run -- sh train.sh      its console and its end are recorded, too
#     sh train.sh                      alone: it makes the run's folder itself; then: outrider sync .
#
# The format is docs/file-format.md; `outrider check FOLDER` says whether this keeps to it.
set -eu
umask 077
steps=${STEPS:-10}
pause=${PAUSE:-0.1}
writer=sh$$

if [ -n "${OUTRIDER_RUN_DIR:-}" ]; then
    dir=$OUTRIDER_RUN_DIR id=$OUTRIDER_RUN_ID primary=false
else
    id=shell-$$ primary=true
    dir=.outrider/runs/$(date -u +%Y%m%dT%H%M%SZ)-$id
    mkdir -p "$dir/journal"
    printf '{"format":1,"id":"%s","project":"other-languages","name":"shell"}\n' "$id" > "$dir/run.json.new"
    mv "$dir/run.json.new" "$dir/run.json"
fi

# Descriptor 3 appends. Each record is one printf, which the shell writes with one write().
exec 3>> "$dir/journal/$writer-000001.jsonl"
record() {
    printf '{"t":%s,%s}\n' "$(date +%s.%N)" "$1" >&3
}

# Who we are: with pid, start and boot the streamer sees our death, however we die.
start=$(cut -d ' ' -f 22 /proc/$$/stat)
boot=$(cat /proc/sys/kernel/random/boot_id)
record '"k":"head","v":1,"run":"'"$id"'","w":"'"$writer"'","n":1,"a":1,"host":"'"$(uname -n)"'","pid":'$$',"start":'"$start"',"boot":"'"$boot"'","role":"foreign","primary":'$primary
record '"k":"config","c":{"steps":'"$steps"',"language":"sh"}'

step=0
while [ "$step" -lt "$steps" ]; do
    record '"s":'"$step"',"p":{"square":'$((step * step))',"inverse":'"$(awk "BEGIN { printf \"%.17g\", 1 / ($step + 1) }")"'}'
    echo "step $step"
    step=$((step + 1))
    sleep "$pause"
done

record '"k":"summary","c":{"best":"all of them"}'
record '"k":"end","w":"'"$writer"'","a":1,"state":"finished","code":0'
