class NoSink:
    def nade_capabilities(self):
        return {"abi_version": "1.0", "bytelink": True}

    def poll_link_tx(self, budget):
        return []


class NotADict:
    def nade_capabilities(self):
        return ["bytelink"]


class BadSize:
    def nade_capabilities(self):
        return {"sdu_max_bytes": -1}


class Demanding:
    def poll_link_tx(self, budget, queue, codec):
        return []

    def on_link_rx(self, sdu):
        pass


class Deaf:
    def poll_link_tx(self, budget):
        return []

    def on_link_rx(self):
        pass


class Attribute:
    on_timer = 5
