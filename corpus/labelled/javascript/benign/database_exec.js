// capabilities: none; resembles: exec
class Database {
  constructor() {
    this.rows = [];
  }

  exec(statement) {
    this.rows.push(statement);
    return this;
  }
}

console.log(new Database().exec('select 1').rows);
