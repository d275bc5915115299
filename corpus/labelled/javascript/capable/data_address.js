// capabilities: dynamic-code; hidden by: dynamic import
const text = 'export default 4';

import(`data:text/javascript,${text}`).then((made) => console.log(made.default));
