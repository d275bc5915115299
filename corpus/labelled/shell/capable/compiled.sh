# capabilities: native-code, processes; hidden by: nothing
printf 'int main(void){return 0;}' > /nonexistent/a.c
cc -o /nonexistent/a /nonexistent/a.c
