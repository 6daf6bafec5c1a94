#include "discovery/discovery.h"
