#!/bin/bash
#
# Load and storm in some seconds; `run` does it at length.

# shellcheck source=run
. "$(dirname "$0")/run" --short
