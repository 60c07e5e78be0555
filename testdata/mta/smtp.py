"""Both ends of SMTP (RFC 5321) for the labs, exact to the byte.

smtp.py sink PORT FOLDER      accept everything; message N is stored as FOLDER/N.eml
smtp.py send PORT FILE...     send each file; print "NAME REPLY" for each
"""
import os, re, socket, socketserver, sys

MANY = 1 << 20


def sink(port, folder):
    os.makedirs(folder, exist_ok=True)

    class Session(socketserver.StreamRequestHandler):
        def answer(self, text):
            self.wfile.write(text.encode() + b"\r\n")

        def data(self):
            lines = []
            while True:
                line = self.rfile.readline(MANY)
                if not line:
                    return
                if line == b".\r\n":
                    break
                lines.append(line[1:] if line.startswith(b".") else line)
            number = len([name for name in os.listdir(folder) if name.endswith(".eml")]) + 1
            with open(os.path.join(folder, "%d.eml" % number), "wb") as file:
                file.write(b"".join(lines))
            self.answer("250 2.0.0 stored")

        def handle(self):
            self.answer("220 sink")
            while line := self.rfile.readline(MANY):
                verb = line.split()[0].upper() if line.strip() else b""
                if verb == b"EHLO":
                    self.answer("250-sink\r\n250-8BITMIME\r\n250 SMTPUTF8")
                elif verb == b"DATA":
                    self.answer("354 go on")
                    self.data()
                elif verb == b"QUIT":
                    return self.answer("221 bye")
                else:
                    self.answer("250 ok")

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    Server(("127.0.0.1", port), Session).serve_forever()


def send(port, path):
    with open(path, "rb") as file:
        message = file.read()
    with socket.create_connection(("127.0.0.1", port), 120) as peer:
        replies = peer.makefile("rb")

        def reply():
            while line := replies.readline():
                if line[3:4] != b"-":
                    return line.decode("latin1").strip()
            return "000 connection closed"

        def command(text):
            peer.sendall(text.encode() + b"\r\n")
            return reply()

        eight = " BODY=8BITMIME" if re.search(rb"[\x80-\xff]", message) else ""
        reply()
        for text in ("EHLO client.lab.test", "MAIL FROM:<sender@lab.test>" + eight,
                     "RCPT TO:<rcpt@lab.test>", "DATA"):
            answer = command(text)
            if answer[0] not in "23":
                return answer
        peer.sendall(re.sub(rb"(?m)^\.", b"..", message) + b".\r\n")
        return reply()


if sys.argv[1] == "sink":
    sink(int(sys.argv[2]), sys.argv[3])
for path in sys.argv[3:]:
    print(os.path.basename(path), send(int(sys.argv[2]), path), flush=True)
