// SPDX-License-Identifier: GPL-2.0

#include <linux/idr.h>

__rust_helper void rust_helper_idr_init(struct idr *idr)
{
	idr_init(idr);
}

__rust_helper unsigned int rust_helper_idr_get_cursor(const struct idr *idr)
{
	return idr_get_cursor(idr);
}

__rust_helper void rust_helper_idr_set_cursor(struct idr *idr, unsigned int val)
{
	idr_set_cursor(idr, val);
}
