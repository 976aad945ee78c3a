# scripts/setup.sh - what scripts/run and scripts/test share: packages, configuration, build.
# Sourced by bash, in the project's root.

PACKAGES_RUN="meson ninja-build clang lld llvm python3 gcc libc6-dev libbsd-dev linux-libc-dev libclang-rt-dev
	console-setup-linux qemu-system-x86 grub-common grub-pc-bin grub-efi-ia32-bin grub-efi-amd64-bin xorriso
	mtools"
PACKAGES_TEST="gcc-multilib g++ clang-format gcovr git ovmf ovmf-ia32
	bochs bochs-term bochsbios vgabios"
PACKAGES_PROOF="frama-c-base why3 cvc4"

PACKAGES_DNF="meson ninja-build clang lld llvm compiler-rt python3 gcc gcc-c++ glibc-devel.i686 libgcc.i686 libasan.i686
	libubsan.i686 libbsd-devel kernel-headers qemu-system-x86-core grub2-tools-extra grub2-pc-modules
	grub2-efi-ia32-modules grub2-efi-x64-modules kbd-misc xorriso mtools clang-tools-extra gcovr git"
PACKAGES_PACMAN="meson ninja clang lld llvm compiler-rt python gcc lib32-glibc lib32-gcc-libs libbsd
	linux-api-headers kbd qemu-system-x86 grub libisoburn mtools gcovr git"

# By these a system that is not Debian's shows that it has what it takes.
COMMANDS="meson ninja clang ld.lld llvm-objdump python3 gcc qemu-system-i386 xorriso mformat"

say() {
	printf '==> %s\n' "$*"
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

have() {
	command -v "$1" >/dev/null 2>&1
}

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | cut -c1-2)" = ii ]
}

# Prints those of the packages that are not installed.
missing_of() {
	local package
	for package in "$@"; do
		is_installed "$package" || printf '%s ' "$package"
	done
}

# Prints how to become root, or asks first; ends the script on a no.
root_prefix() {
	local answer
	[ "$(id -u)" = 0 ] && return
	have sudo || die "not root, and there is no sudo: install these as root: $*"
	[ -t 0 ] || die "these packages are missing: $* (install them with apt-get, or run this in a terminal)"
	printf 'These packages are missing:\n  %s\nInstall them with sudo apt-get? [y/N] ' "$*" >&2
	read -r answer
	case $answer in
	[yY]*) echo sudo ;;
	*) die "nothing was installed" ;;
	esac
}

apt_install() {
	local as_root
	as_root=$(root_prefix "$@") || exit 1
	say "installing with apt-get: $*"
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update || die "apt-get update failed"
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 \
		install -y --no-install-recommends "$@" >/dev/null || die "apt-get could not install: $*"
}

other_system() {
	local command missing=
	for command in $COMMANDS; do
		have "$command" || missing="$missing $command"
	done
	have grub-mkrescue || have grub2-mkrescue || missing="$missing grub-mkrescue"
	[ -z "$missing" ] && return
	printf 'These commands are missing:%s\n\n' "$missing"
	# shellcheck disable=SC2086
	printf 'Fedora and relatives:\n  sudo dnf install %s\n\n' "$(echo $PACKAGES_DNF)"
	# shellcheck disable=SC2086
	printf 'Arch and relatives:\n  sudo pacman -S --needed %s\n\n' "$(echo $PACKAGES_PACMAN)"
	die "install them and come back; only on Debian and Ubuntu does this script install packages itself"
}

# setup_packages LIST...: makes sure that the packages are there.
setup_packages() {
	local missing
	if ! have apt-get || ! have dpkg-query; then
		other_system
		return
	fi
	missing=$(missing_of "$@")
	[ -z "$missing" ] && return
	# shellcheck disable=SC2086 # a list of names
	apt_install $missing
}

# quietly LOG COMMAND...: shows the output only when the command fails.
quietly() {
	local log=$1
	shift
	"$@" >"$log" 2>&1 && return
	cat "$log" >&2
	return 1
}

# setup_configure DIR OPTION...: configures a build directory once.
setup_configure() {
	local dir=$1
	shift
	[ -f "$dir/build.ninja" ] && return
	say "configuring $dir (meson)"
	mkdir -p "$dir"
	quietly "$dir/configure.log" meson setup "$dir" --cross-file cross/i686.ini "$@" ||
		die "could not configure $dir"
}

# setup_build DIR TARGET...
setup_build() {
	local dir=$1
	say "building: ninja -C $dir ${*:2}"
	quietly "$dir/ninja.log" ninja -C "$dir" "${@:2}" || die "the build failed"
}

# setup_programs DIR: ends the script where the directory was configured without a C library for programs. Such a
# directory is configured again first: there may be a network by now.
setup_programs() {
	local dir=$1
	has_programs "$dir" && return
	quietly "$dir/configure.log" meson setup --reconfigure "$dir" || die "could not configure $dir"
	has_programs "$dir" || die "no C library for programs: see $dir/configure.log"
}

has_programs() {
	ninja -C "$1" -t query user/initramfs.cpio >/dev/null 2>&1
}
