"""A laboratory of real network namespaces with real nftables: topologies in which FTP works, or does not.

    python -m lab list                                          the topologies, the obstacles
    python -m lab run server-firewall --at client -- fairlead ls ftp://server.test/
    python -m lab run home-nat+lossy --at client -- bash        composed of obstacles, and looked at by hand
    python -m lab show server-nat-range                         the rules of its routers
    python -m lab down                                          remove what crashed runs left

Inside, the name ``server.test`` is the server; it listens on port 21 with passive ports 50000-50099, for anonymous
readers and for ``tester`` with the password ``secret``. From Python::

    with Lab(topology("server-firewall")) as lab, served(lab, "fairlead", Protection.CLEAR):
        done = lab.run(Host.CLIENT, ["fairlead", "ls", "ftp://server.test/"])

Firewalls of the routers stand in ``table inet filter`` (``input``, ``forward``), translations in ``table ip nat``
(``prerouting``, ``postrouting``), their interfaces are ``lan`` and ``wan``. Root, Linux, nft; other machines get one
sentence.
"""
