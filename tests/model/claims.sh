#!/bin/bash
#
# Some networks of the model, and the proof that each of its claims can fail:
# with something broken on purpose it does, also in what is left of a network
# when all is taken away that its failure does not need.
#
# usage: tests/model/claims.sh [NETWORKS]

model=${top_builddir:-$(dirname "$0")/../../build}/tests/model/model
runs=${1:-300}
failed=0
work=$(mktemp -d) || exit 99
trap 'rm -r "$work"' EXIT

# claim TEXT COMMAND...
claim() {
	local text=$1

	shift
	if "$@"; then
		echo "ok - $text"
	else
		echo "not ok - $text"
		failed=1
	fi
}

# fails WHAT TEXT: that a claim does in one of the first networks, and in what is
# left of it when nothing more can be taken away.
fails() {
	local seed

	for seed in {1..100}; do
		"$model" --break "$1" --seed "$seed" --runs 1 >"$work/out"
		(($? == 1)) || continue
		grep -q "^FAILED: seed $seed: $2: " "$work/out" && break
	done
	"$model" --break "$1" --seed "$seed" --runs 1 --shrink >"$work/out"
	grep -q "^FAILED: seed $seed: $2: " "$work/out" &&
		grep -q '^shrunken: ' "$work/out" &&
		(($(grep -c '^  relay' "$work/out") <= 5))
}

# can_fail TEXT WHAT...: by each of these.
can_fail() {
	local text=$1 what

	shift
	for what; do
		claim "\"$text\" fails by $what, and on few relays" \
			fails "$what" "$text"
	done
}

claim "all claims hold in $runs networks" "$model" --runs "$runs"
can_fail 'copies are few' guard silence
can_fail 'when hosts fall silent the network does' window
can_fail 'what is said is heard wherever a path leads' reach
can_fail 'who goes on is heard again and again' longer
can_fail 'nothing is heard where no path leads' direction
exit "$failed"
