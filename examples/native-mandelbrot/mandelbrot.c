/* Draws the Mandelbrot set as text.
 *
 * Usage: mandelbrot COLUMNS ROWS ITERATIONS
 */
#include <stdio.h>
#include <stdlib.h>

static const char shades[] = " .:-=+*#%@";

static int escape_time(double re, double im, int iterations)
{
    double x = 0.0, y = 0.0;
    for (int i = 0; i < iterations; i++) {
        double next = x * x - y * y + re;
        y = 2.0 * x * y + im;
        x = next;
        if (x * x + y * y > 4.0)
            return i;
    }
    return iterations;
}

static int number(const char *text, int low, int high)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (*end != '\0' || value < low || value > high) {
        fprintf(stderr, "mandelbrot: %s is not a number from %d to %d\n", text, low, high);
        exit(2);
    }
    return (int)value;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: mandelbrot COLUMNS ROWS ITERATIONS\n");
        return 2;
    }
    int columns = number(argv[1], 2, 500);
    int rows = number(argv[2], 2, 500);
    int iterations = number(argv[3], 1, 1000000);
    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++) {
            double re = -2.2 + 3.2 * column / (columns - 1);
            double im = -1.2 + 2.4 * row / (rows - 1);
            int time = escape_time(re, im, iterations);
            int shade = time >= iterations ? 9 : time * 9 / iterations;
            putchar(time < 2 ? ' ' : shades[shade + (time < iterations && shade < 8)]);
        }
        putchar('\n');
    }
    return 0;
}
