/*
 * The kinds of messages that matter, for whoever reads the journal by program:
 * MESSAGE_ID. systemd/crier.catalog explains each; they never change.
 */
#ifndef CRIER_SERVICE_MESSAGES_H
#define CRIER_SERVICE_MESSAGES_H

#define MESSAGE_STARTED      "1ae4f903ef544e469b08a0605ac31ad3"
#define MESSAGE_INVALID      "279e370fe5064b07a33057afffe6d8de"
#define MESSAGE_RELOADED     "65c9aa6279f3476d84cc1984a18594ee"
#define MESSAGE_REFUSED      "90222d741914482a8f02854e80ff430d"
#define MESSAGE_JOINED       "96069ee5a3a240e9a07f2504bc5e4426"
#define MESSAGE_MISSING      "37187f99996d44b9978efa773ca6804b"
#define MESSAGE_FAILED       "a9634630979842ac9b90f60cb699e2c1"
#define MESSAGE_TROUBLE      "798fcbd2bc6148d0886386bc2fad5ca2"
#define MESSAGE_STORM        "b0ae9cd0b9af49b48178872642093f09"
#define MESSAGE_RATE         "223eb4a54e904eb6b8e9810476cc300d"
#define MESSAGE_ANNOUNCEMENT "5834b5c5a30a419cb14420fea26644f6"
#define MESSAGE_CONTROL      "7825e8dd38c84b66ba5666cb7b95cbb0"
#define MESSAGE_DEVICES      "49012246ecac4ac38b054fdf10e91428"
#define MESSAGE_RESTART      "b958b773ce7349fea2388fe11d696eb7"
#define MESSAGE_RESTART_LOST "513bdd4075ba4c4aa50be183ec928f1c"
#define MESSAGE_BUFFER       "1ebafdb76cfc4855bb6acfa38c323804"
#define MESSAGE_STOPPING     "a730ceff82bb4c4dbba39becda794eb6"

#endif
