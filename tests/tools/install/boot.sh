#!/bin/sh
# boot.sh PLACE SHARED LOWER: PLACE/upper over LOWER as the files, and systemd as the first process.
# Runs in namespaces of its own (machine.py); nothing it mounts is seen outside.
set -eu
place="$1" shared="$2" lower="$3"
root="$place/root"
mount --make-rprivate /
mkdir -p "$place/upper" "$place/work" "$root"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$place/upper,workdir=$place/work" "$root"
cd "$root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs dev
for name in null zero full random urandom tty; do
    touch "dev/$name"
    mount --bind "/dev/$name" "dev/$name"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs tmpfs sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 sys/fs/cgroup
mkdir -p mnt
mount --bind "$shared" mnt
if ! [ -e etc/pingan-test-machine ]; then
    # What this host starts is no business of the machine's.
    rm -f etc/systemd/system/*.target.wants/* etc/systemd/system/*.wants/pingan*
    touch etc/pingan-test-machine
fi
exec chroot . /usr/bin/env -i container=other PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --unit=multi-user.target --log-target=journal --show-status=no
