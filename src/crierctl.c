/*
 * crierctl: asks a crier daemon on its control socket. All of it but this is
 * in control/.
 */
#include "control/control.h"

int main(int argc, char *argv[])
{
	return control_cli(argc, argv, PACKAGE_VERSION, stdout, stderr);
}
