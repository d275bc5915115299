// capabilities: none; resembles: class field
class Account {
  #balance = 0;

  deposit(amount) {
    this.#balance += amount;
    return this.#balance;
  }
}

console.log(new Account().deposit(5));
