try { null.foo; } catch (e) { console.log(e.name, e.message); }
try { undefinedThing; } catch (e) { console.log(e.name, e.message); }
try { (void 0)(); } catch (e) { console.log(e.name); }
try { JSON.parse('{bad'); } catch (e) { console.log(e.name); }
