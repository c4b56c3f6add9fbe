#!/bin/sh
# Makes a Vagrant box of a fresh Debian: run by mmdebstrap outside of it, as `customize.sh ROOT PROVIDER PUBLIC_KEY`.
set -eu
root=$1 provider=$2 key=$3

# Vagrant's user: its well-known key, and sudo without a password.
chroot "$root" useradd --create-home --shell /bin/bash vagrant
echo 'vagrant ALL=(ALL) NOPASSWD: ALL' > "$root/etc/sudoers.d/vagrant"
chmod 440 "$root/etc/sudoers.d/vagrant"
install -d -m 700 "$root/home/vagrant/.ssh"
install -m 600 "$key" "$root/home/vagrant/.ssh/authorized_keys"
chroot "$root" chown -R vagrant:vagrant /home/vagrant/.ssh

# A login must cost as little as it can: without KVM every process counts.
printf 'UseDNS no\nGSSAPIAuthentication no\nPrintMotd no\nMaxSessions 100\nMaxStartups 100:30:200\n' \
    > "$root/etc/ssh/sshd_config.d/farm.conf"
# Without logind nobody ends the sessions when the machine goes down, and whoever asked for that would wait for ever.
mkdir -p "$root/etc/systemd/system/ssh.service.d"
printf '[Service]\nKillMode=control-group\n' > "$root/etc/systemd/system/ssh.service.d/farm.conf"
sed -i '/pam_motd\|pam_mail/d' "$root/etc/pam.d/sshd"

mkdir -p "$root/var/log/journal" "$root/etc/systemd/journald.conf.d" "$root/etc/systemd/system.conf.d"
printf '[Journal]\nStorage=persistent\nSystemMaxUse=64M\nRateLimitBurst=0\n' > "$root/etc/systemd/journald.conf.d/farm.conf"
# A unit that won't stop must not hold up a halt for a minute and a half.
printf '[Manager]\nDefaultTimeoutStopSec=20s\n' > "$root/etc/systemd/system.conf.d/farm.conf"

# Who this machine is, before anything asks: Vagrant then finds its host name set and restarts no network.
cat > "$root/usr/local/sbin/farm-identity" <<'SCRIPT'
#!/bin/sh
for word in $(cat /proc/cmdline); do
    case "$word" in
        farm.name=*) hostname "${word#*=}"; echo "${word#*=}" > /etc/hostname ;;
        farm.address=*) mkdir -p /run/systemd/network
            printf '[Match]\nName=eth1\n[Network]\nAddress=%s\nLinkLocalAddressing=no\n' "${word#*=}" \
                > /run/systemd/network/20-eth1.network ;;
    esac
done
grep -q "^127.0.1.1 $(hostname)\$" /etc/hosts || printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$(hostname)" > /etc/hosts
SCRIPT
chmod 755 "$root/usr/local/sbin/farm-identity"
cat > "$root/etc/systemd/system/farm-identity.service" <<'UNIT'
[Unit]
DefaultDependencies=no
After=systemd-remount-fs.service
Before=systemd-networkd.service sysinit.target
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/farm-identity
[Install]
WantedBy=sysinit.target
UNIT

systemctl --root "$root" --quiet enable farm-identity.service ssh.service
systemctl --root "$root" --quiet disable containerd.service nftables.service 2>/dev/null || true
systemctl --root "$root" --quiet mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    e2scrub_reap.service fstrim.timer getty.target systemd-networkd-wait-online.service \
    systemd-timesyncd.service systemd-pstore.service systemd-update-utmp.service systemd-update-utmp-runlevel.service \
    systemd-binfmt.service proc-sys-fs-binfmt_misc.automount sys-kernel-debug.mount sys-kernel-tracing.mount \
    dev-hugepages.mount systemd-tmpfiles-clean.timer systemd-hwdb-update.service systemd-journal-catalog-update.service

if [ "$provider" = lxc ]; then
    # The addresses come with the container, and devices from the host.
    systemctl --root "$root" --quiet mask systemd-udevd.service systemd-udev-trigger.service systemd-networkd.service \
        systemd-udevd-control.socket systemd-udevd-kernel.socket dev-mqueue.mount systemd-logind.service
    # A container that was halted comes back with another hardware address: the others are to notice soon.
    printf '%s\n' '-net.ipv4.neigh.eth1.delay_first_probe_time=1' '-net.ipv4.neigh.eth1.base_reachable_time_ms=1000' \
        '-net.ipv4.neigh.eth1.retrans_time_ms=200' > "$root/etc/sysctl.d/farm.conf"
    # systemd joins cpu and cpuacct, which fails where the host has them apart; runc then can't limit anything.
    cat > "$root/usr/local/sbin/farm-cgroups" <<'SCRIPT'
#!/bin/sh
mount -o remount,rw /sys/fs/cgroup || exit 0
while read -r name hierarchy _; do
    case "$hierarchy" in [1-9]*) ;; *) continue ;; esac
    ! mountpoint -q "/sys/fs/cgroup/$name" || continue
    [ ! -L "/sys/fs/cgroup/$name" ] || rm "/sys/fs/cgroup/$name"
    mkdir -p "/sys/fs/cgroup/$name"
    mount -t cgroup -o "$name" cgroup "/sys/fs/cgroup/$name"
done < /proc/cgroups
SCRIPT
    chmod 755 "$root/usr/local/sbin/farm-cgroups"
    mkdir -p "$root/etc/systemd/system/farm-identity.service.d"
    printf '[Service]\nExecStart=/usr/local/sbin/farm-cgroups\n' > "$root/etc/systemd/system/farm-identity.service.d/cgroups.conf"
else
    # Only the kernel's files: installed as a package it would build an initramfs, which the farm makes by itself.
    mkdir "$root/farm-kernel"
    package=$(chroot "$root" apt-cache depends linux-image-cloud-amd64 | sed -n 's/ *Depends: //p' | head -n 1)
    chroot "$root" sh -c "cd /farm-kernel && apt-get -qq -o APT::Sandbox::User=root download $package"
    dpkg-deb -x "$root"/farm-kernel/*.deb "$root/farm-kernel/tree"
    cp -a "$root/farm-kernel/tree/boot/." "$root/boot/"
    cp -a "$root/farm-kernel/tree/lib/modules" "$root/lib/"
    rm -r "$root/farm-kernel"
    version=$(ls "$root/lib/modules")
    chroot "$root" depmod "$version"
    # What the root disk needs, in the order in which it is to be loaded.
    chroot "$root" modprobe --set-version "$version" --show-depends --all virtio_pci virtio_blk \
        | sed -n 's/^insmod //p' | awk '!seen[$1]++ { print $1 }' > "$root/boot/farm-modules"
    printf '[Match]\nName=eth0\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\n[DHCPv4]\nUseHostname=no\nClientIdentifier=mac\n' \
        > "$root/etc/systemd/network/10-eth0.network"
    systemctl --root "$root" --quiet enable systemd-networkd.service
    echo '/dev/vda / ext4 defaults,noatime 0 1' > "$root/etc/fstab"
fi

# Nothing of the machine that made it, and nothing that only costs space.
rm -rf "$root/usr/share/doc" "$root/usr/share/man" "$root/usr/share/locale" "$root/var/lib/apt/lists" "$root/var/cache/apt"
mkdir -p "$root/var/lib/apt/lists/partial" "$root/var/cache/apt/archives/partial"
: > "$root/etc/resolv.conf"
rm -f "$root/etc/hostname"
: > "$root/etc/machine-id"
