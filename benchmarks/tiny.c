/* A game server that boots in half a millisecond: binds $PORT (UDP), says so, answers each packet with its server's id,
   and ends when told "exit". Compiled by rooms.py. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int main(void) {
    const char *us = getenv("HATHORA_PROCESS_ID");
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT")))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int port = socket(AF_INET, SOCK_DGRAM, 0);
    if (port < 0 || bind(port, (struct sockaddr *)&at, sizeof at) != 0) return 1;
    puts("started");
    fflush(stdout);
    for (;;) {
        char packet[1024];
        socklen_t length = sizeof at;
        ssize_t got = recvfrom(port, packet, sizeof packet, 0, (struct sockaddr *)&at, &length);
        if (got >= 4 && memcmp(packet, "exit", 4) == 0) return 0;
        if (got >= 0) sendto(port, us, strlen(us), 0, (struct sockaddr *)&at, length);
    }
}
