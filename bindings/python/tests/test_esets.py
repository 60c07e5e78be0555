"""python3 -m unittest, with ESETS_LIBRARY and PYTHONPATH set."""

import errno
import gc
import os
import resource
import tempfile
import threading
import unittest

import esets

MAIL = b"""\
From: alice@example.org
Subject: Report
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=edge

--edge
Content-Type: text/plain

See below.
--edge
Content-Type: application/octet-stream; name="report.pdf.exe"
Content-Transfer-Encoding: base64

dGV4dA==
--edge--
"""


class Esets(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "a.pdf.exe")
        self.write("a.pdf.exe", "text")

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_every_way_in_gives_the_same_verdict(self):
        scanner = esets.Scanner()
        with open(self.path, "rb") as file:
            verdicts = [
                scanner.scan_file(self.path),
                scanner.scan_bytes(b"text", self.path),
                scanner.scan_descriptor(file.fileno(), self.path),
            ]
        expected = {
            "name": "Heur.DoubleExtension",
            "class": "suspicious",
            "source": "heuristic",
            "offset": None,
            "record": 0,
        }
        for verdict in verdicts:
            self.assertEqual(verdict.status, "infected")
            self.assertEqual(verdict.threats, [expected])
            self.assertEqual(verdict.records[0]["name"], self.path)
            self.assertEqual(str(verdict), f"{self.path} [] 4 !Heur.DoubleExtension\n")
        self.assertRegex(esets.version(), r"^\d+\.\d+\.\d+$")

    def test_databases_are_opened_and_reloaded(self):
        self.assertGreater(esets.Database().signatures, 0)
        source = self.write("test.ndb", "Test.Marker:0:*:61206d61726b6572\n")
        database = esets.Database(source)
        self.assertEqual((database.signatures, database.warnings), (1, ""))
        self.assertEqual(database.version, "compiled in memory")
        scanner = esets.Scanner(database)
        self.assertEqual(scanner.scan_bytes(b"a marker").threats[0]["name"], "Test.Marker")
        self.write("test.ndb", "Test.Other:0:*:616e6f74686572\nnonsense\n")
        database.reload()
        self.assertEqual(scanner.scan_bytes(b"a marker").status, "clean")
        self.assertIn("test.ndb:2: ", database.warnings)
        self.write("test.ndb", "")
        with self.assertRaisesRegex(esets.Error, "no signatures"):
            database.reload()
        self.assertEqual(scanner.scan_bytes(b"another").status, "infected")

    def test_what_cannot_be_read_raises_os_error(self):
        scanner = esets.Scanner()
        for path, number in [("none", errno.ENOENT), (self.folder.name, errno.EINVAL)]:
            with self.assertRaises(OSError) as caught:
                scanner.scan_file(path)
            self.assertEqual((caught.exception.errno, caught.exception.filename), (number, path))
        with self.assertRaises(OSError) as caught:
            scanner.scan_descriptor(-1)
        self.assertEqual(caught.exception.errno, errno.EBADF)

    def test_limits_options_and_skipped_formats(self):
        small = esets.Scanner(limits={"scan_size": 3})
        self.assertEqual(small.scan_file(self.path).status, "not_scanned")
        self.assertEqual(
            small.scan_bytes(b"text").records[0]["not_scanned"], [{"limit": "scan_size"}]
        )
        blind = esets.Scanner(options={"heuristics": False}, skip=["tar"], passwords=["x", b"y"])
        self.assertEqual(blind.scan_file(self.path).status, "clean")

    def test_misuse_raises(self):
        for misuse in [
            lambda: esets.Scanner(limits={"width": 1}),
            lambda: esets.Scanner(limits={"depth": 1 << 40}),
            lambda: esets.Scanner(options={"magic": 1}),
            lambda: esets.Scanner(skip=["no such format"]),
            lambda: esets.Database(os.path.join(self.folder.name, "none")),
            lambda: esets.Policy(os.path.join(self.folder.name, "none")),
            lambda: esets.Policy().decide(None, "smtp", helo="x"),
            lambda: esets.Policy().decide(None, "smtp", client="x"),
        ]:
            with self.assertRaises(esets.Error):
                misuse()

    def test_policies_decide(self):
        database = esets.Database()
        known = {"agent": "smtp", "client": "192.0.2.1", "recipients": ["bob@example.org"]}
        policy = esets.Policy()
        scanner = policy.scanner(database, **known)
        decision = policy.decide(scanner.scan_file(self.path), **known)
        self.assertEqual(decision["action"], "reject")
        self.assertEqual(decision["rule"], "action_av_infected, default")
        self.assertEqual(decision["dispositions"][0]["recipients"], [0])
        self.assertEqual(policy.decide(None, **known)["action"], "defer")
        config = self.write("esets.cfg", '[smtp]\naction_av = "discard"\n')
        policy = esets.Policy(config)
        self.assertIsNone(policy.scanner(database, **known))
        self.assertEqual(policy.decide(None, **known)["action"], "discard")
        self.write("esets.cfg", '[smtp]\nacton_av = "discard"\n')
        with self.assertRaisesRegex(esets.Error, 'esets.cfg:2: unknown key "acton_av"'):
            esets.Policy(config)

    def test_mails_are_handled_and_rewritten(self):
        clean = 'av_clean_mode = "delete"\naction_av_deleted = "accept"\n'
        policy = esets.Policy(self.write("esets.cfg", "[smtp]\n" + clean))
        database = esets.Database()
        known = {"agent": "smtp", "recipients": ["bob@example.org"], "modifiable": True}
        decision, verdict = policy.handle(database, MAIL, **known)
        self.assertEqual((decision["action"], verdict.status), ("accept", "infected"))
        self.assertEqual(len(decision["dispositions"][0]["edits"]["remove"]), 1)
        passed = decision.apply(0, verdict, MAIL)
        self.assertNotIn(b"dGV4dA==", passed)
        self.assertIn(b"\nContent-Type: text/plain\n\nSee below.\n", passed)
        self.assertIn(b"report.pdf.exe", passed)
        self.assertIsNone(decision.apply(0, None, MAIL))
        with self.assertRaises(IndexError):
            decision.apply(1, verdict, MAIL)
        decision, verdict = policy.handle(database, MAIL, agent="smtp", name="mail")
        self.assertEqual(decision["action"], "reject")
        interrupt = esets.Interrupt()
        interrupt.cancel()
        decision, verdict = policy.handle(database, MAIL, interrupt=interrupt, **known)
        self.assertEqual((decision["action"], verdict.status), ("defer", "not_scanned"))
        policy = esets.Policy(self.write("esets.cfg", '[smtp]\naction_av = "discard"\n'))
        decision, verdict = policy.handle(database, MAIL, **known)
        self.assertEqual((decision["action"], verdict), ("discard", None))
        self.assertEqual(decision.apply(0, None, MAIL), MAIL)

    def test_without_a_daemon_there_is_no_answer(self):
        client = esets.Client(os.path.join(self.folder.name, "none"), patience=1000)
        with self.assertRaises(OSError) as caught:
            client.scan_bytes(b"x", "cli")
        self.assertEqual(caught.exception.errno, errno.ENOENT)
        with self.assertRaises(OSError) as caught:
            client.scan_file(self.folder.name, "cli")
        self.assertEqual(caught.exception.errno, errno.EINVAL)
        with self.assertRaises(esets.Error):
            client.scan_bytes(b"x", "cli", helo="x")

    @unittest.skipUnless("ESETS_TEST_SOCKET" in os.environ, "no daemon to ask")
    def test_a_daemon_decides(self):
        client = esets.Client(os.environ["ESETS_TEST_SOCKET"])
        known = {"agent": "cli", "sender": "alice@example.org"}
        path = self.write("content", "content")
        with open(path, "rb") as file:
            answers = [
                client.scan_file(path, **known),
                client.scan_bytes(b"content", name="x", **known),
                client.scan_descriptor(file.fileno(), name="x", **known),
            ]
        for decision, verdict in answers:
            self.assertEqual(decision["action"], "discard")
            self.assertEqual(decision["rule"], "action_av in [global], x:2")
            self.assertEqual(verdict.records[0]["name"], "content")
        with self.assertRaises(OSError) as caught:
            client.scan_bytes(b"x", name="refuse", **known)
        self.assertEqual(caught.exception.errno, errno.EPROTO)
        with self.assertRaises(OSError):
            client.scan_bytes(b"x", name="hangup", **known)

    def test_another_thread_cancels(self):
        interrupt = esets.Interrupt()
        scanner = esets.Scanner(interrupt=interrupt)
        reader, writer = os.pipe()
        found = []
        thread = threading.Thread(
            target=lambda: found.append(scanner.scan_descriptor(reader, "pipe"))
        )
        thread.start()
        interrupt.cancel()
        os.write(writer, b"more")
        thread.join()
        os.close(writer)
        os.close(reader)
        self.assertEqual(found[0].records[0]["not_scanned"], ["cancelled"])
        interrupt.clear()
        self.assertEqual(scanner.scan_bytes(b"text").status, "clean")

    def test_nothing_leaks(self):
        database = esets.Database()

        def work():
            policy = esets.Policy()
            verdict = esets.Scanner(passwords=["x"]).scan_bytes(b"text", "a.pdf.exe")
            decision, found = policy.handle(database, MAIL, "smtp", modifiable=True)
            decision.apply(0, found, MAIL)
            return verdict.threats, str(verdict), policy.decide(verdict, "smtp", sender="a@b")

        for _ in range(300):
            work()
        gc.collect()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(3000):
            work()
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        self.assertLess(grown, 512, "KiB")


if __name__ == "__main__":
    unittest.main()
