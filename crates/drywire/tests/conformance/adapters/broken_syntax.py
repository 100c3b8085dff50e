class Adapter:
    def poll_link_tx(self, budget)
        return []
