import a_module_that_does_not_exist


class Adapter:
    pass
