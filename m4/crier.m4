# CRIER_MISSING(PACKAGE)
# Notes a package that must be installed first.
AC_DEFUN([CRIER_MISSING], [
	AS_VAR_IF([missing], [], [missing="$1"], [missing="$missing, $1"])])

# CRIER_NEEDS(VARIABLE-PREFIX, MODULE, PACKAGE)
# Asks pkg-config for MODULE, and notes PACKAGE where it is missing.
AC_DEFUN([CRIER_NEEDS], [
	PKG_CHECK_MODULES([$1], [$2], [], [CRIER_MISSING([$3])])])

# CRIER_IF_LINKS(FLAGS, IF-YES, IF-NO)
# Whether a program can be compiled and linked with FLAGS. -Werror, since
# clang only warns of flags that it does not know.
AC_DEFUN([CRIER_IF_LINKS], [
	crier_cflags=$CFLAGS
	CFLAGS="$CFLAGS -Werror $1"
	AC_LINK_IFELSE([AC_LANG_PROGRAM], [crier_links=yes], [crier_links=no])
	CFLAGS=$crier_cflags
	AS_VAR_IF([crier_links], [yes], [$2], [$3])])

# CRIER_COMPILE_FLAGS(VARIABLE, FLAGS)
# Collects in VARIABLE those of FLAGS that the compiler takes.
AC_DEFUN([CRIER_COMPILE_FLAGS], [
	for crier_flag in $2; do
		AC_MSG_CHECKING([whether $CC takes $crier_flag])
		crier_cflags=$CFLAGS
		CFLAGS="$CFLAGS -Werror $crier_flag"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM],
			[crier_takes=yes; $1="$$1 $crier_flag"],
			[crier_takes=no])
		CFLAGS=$crier_cflags
		AC_MSG_RESULT([$crier_takes])
	done])

# CRIER_LINK_FLAGS(VARIABLE, FLAGS)
# The same for the linker, each tried together with HARDEN_CFLAGS: -pie can
# only link what was compiled for it.
AC_DEFUN([CRIER_LINK_FLAGS], [
	for crier_flag in $2; do
		AC_MSG_CHECKING([whether $CC links with $crier_flag])
		CRIER_IF_LINKS([$HARDEN_CFLAGS $crier_flag],
			[$1="$$1 $crier_flag"])
		AC_MSG_RESULT([$crier_links])
	done])

# CRIER_FORTIFY(VARIABLE)
# The highest level of _FORTIFY_SOURCE that compiler and C library know, unless
# whoever builds has chosen one. It needs an optimising compiler: without one,
# glibc warns in every file.
AC_DEFUN([CRIER_FORTIFY], [
	AC_MSG_CHECKING([for the level of _FORTIFY_SOURCE])
	crier_fortify=none
	crier_levels="2 3"
	AS_CASE([" $CPPFLAGS $CFLAGS"], [*_FORTIFY_SOURCE*],
		[crier_fortify=chosen crier_levels=])
	crier_cppflags=$CPPFLAGS
	crier_cflags=$CFLAGS
	for crier_level in $crier_levels; do
		CPPFLAGS="$crier_cppflags -U_FORTIFY_SOURCE"
		CPPFLAGS="$CPPFLAGS -D_FORTIFY_SOURCE=$crier_level"
		CFLAGS="$crier_cflags -Werror"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
#include <string.h>
#ifndef __OPTIMIZE__
#error the compiler does not optimise
#endif
]])], [crier_fortify=$crier_level
$1="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$crier_level"])
	done
	CPPFLAGS=$crier_cppflags
	CFLAGS=$crier_cflags
	AC_MSG_RESULT([$crier_fortify])])
