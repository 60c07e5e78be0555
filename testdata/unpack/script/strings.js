// it's nothing
var a = "in" + 'voi' + "ce", b = String.fromCharCode(110, 111, 118), c = unescape('%65%6d%62%65r');
