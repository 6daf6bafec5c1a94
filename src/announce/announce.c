#include "announce/announce.h"
