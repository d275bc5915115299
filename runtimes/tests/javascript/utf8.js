process.stdout.write('\u20ac \u{1f600} \ud800x\n'); process.stdout.write(Buffer.from([0xff, 0, 10]));
