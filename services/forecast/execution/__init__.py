"""How much of the work that fell due on deals was done (FC-7, node completion)?"""
